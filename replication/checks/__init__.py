"""The four-property checks 四性检测 (DA/T 70): rules that read files, and the run of all rules over a package."""
