"""Opens what agencies hand out: text, Excel, SAS, SPSS, Parquet, a database; knows no table.

Whatever the format, the rows end in a Parquet file of text (`Staged`) that the engine reads, and
each row keeps the number by which its owner finds it.
"""
