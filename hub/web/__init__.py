"""The console: pages in a browser, served by the hub itself. The only place that knows the web framework."""
