"""Other people's evaluation logs -> the result table. Readers know formats and column names; they compute no statistic."""
