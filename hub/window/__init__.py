"""The mediation window 矛调查档窗口: requests 查档申请 of citizens and organs, who may see what, and by when.

Modules that decide take values and return values (``states``, ``requests``, ``applicants``, ``rules``,
``working_days``, ``clocks``, ``research``, ``mediation``); ``tables`` and the ledgers keep them; ``desk`` and ``cases``
hold the use cases that screens and commands call, each one transaction with its line in the audit log.
"""
