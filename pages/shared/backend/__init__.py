"""What works behind the pages: numbers, pictures and the model, cached; jobs, uploads, the studies' folder.

Only this package caches. Results are known by the study's folder, the time its manifest was written, and small frozen
options, never by an array. They are shared by all sessions and only read.
"""
