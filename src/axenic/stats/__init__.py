"""The result table becomes estimates with intervals: `cells`, `contrast`, `curve`. Numpy, scipy and statsmodels; never torch."""
