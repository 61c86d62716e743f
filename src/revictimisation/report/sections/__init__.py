"""The sections of the reports, a module each: from a page to a piece of HTML, nothing computed."""
