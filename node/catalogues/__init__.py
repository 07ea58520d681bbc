"""Reading catalogue files: from a dropped spreadsheet to described records, with a reason for every row set aside."""
