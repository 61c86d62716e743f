"""What every room uses: errors, codes, texts, files, the engine, the format of results."""
