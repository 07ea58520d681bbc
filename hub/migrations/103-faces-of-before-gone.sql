DROP TABLE entry_faces_before;
