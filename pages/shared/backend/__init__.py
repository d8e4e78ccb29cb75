"""What works behind the pages: numbers, pictures and the model, cached; jobs, uploads, the folder of studies.

Only this package caches. Cache keys are the study's folder, the time its manifest was written, and small frozen
options, never an array. All sessions share what is cached, except uploads, and only read it.
"""
