"""Sequential target trials: from every day in which nothing has happened yet, start now or not."""
