"""The project whose processes take changes over: articles, and a page that reads some."""
