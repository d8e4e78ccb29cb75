"""The dashboard's entry: `streamlit run app.py`. Every page is a file of its own in `pages/`."""

if __name__ == "__main__":  # Streamlit runs this file whenever it draws a page
    from pages.shared.backend import preparation

    preparation.wait()
    from pages.shared import router

    router.run()
else:  # the server imports it, once
    from streamlit.starlette import App

    from pages.shared.backend import gate, preparation

    app = App(__file__, middleware=gate.middleware(), lifespan=preparation.lifespan)
