"""Estimates -> tables, figures, one HTML page and one terminal table. Lays out numbers; never computes one."""
