"""The dashboard's entry: `streamlit run app.py`. Every page is a file of its own in `pages/`."""

from pages.shared import router

router.run()
