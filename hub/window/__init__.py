"""The mediation window 矛调窗口: requests, lookups, copies and cases."""
