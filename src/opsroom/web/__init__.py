"""Page layout, rendering, static files and the browser's half of security.

It knows how a page looks and how it reaches a browser, and no word of any concept. Slices
bring templates and build them from the macros in `templates/web/components.html`; the
composition root makes one `Pages` and one `Assets` and wraps the app in `security.guard`.
"""
