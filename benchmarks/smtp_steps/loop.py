"""The loop that people write: a template, MJML, premailer, EmailMessage and smtplib for each person."""

import logging
import smtplib
import ssl
import sys
from email.message import EmailMessage

import jinja2
import mjml
import premailer

_TEXT = "The group met {{ n }} times and looked at how models of text sort answers to surveys. Dear {{ name }}!"
_PAGE = """\
<mjml><mj-head><mj-style>p { color: #222; font-size: 15px }</mj-style></mj-head><mj-body><mj-section><mj-column>
<mj-text><p>Dear {{ name }},</p></mj-text>
{% for n in range(paragraphs) %}<mj-text><h2>Item {{ n }}</h2><p>The group met {{ n }} times and looked at how models of
text sort answers to surveys; the notebook is at <a href="https://news.example.org/item/{{ n }}">this page</a>.</p>
</mj-text>{% endfor %}
</mj-column></mj-section></mj-body></mjml>
"""


def main(port: int, people: int, paragraphs: int, certificate: str = "") -> None:
    """Write to so many people."""
    logging.getLogger("CSSUTILS").setLevel(logging.CRITICAL)
    page, text = jinja2.Template(_PAGE), jinja2.Template(_TEXT)
    with smtplib.SMTP("localhost" if certificate else "127.0.0.1", port) as server:
        if certificate:
            server.starttls(context=ssl.create_default_context(cafile=certificate))
        for number in range(people):
            name = f"Person {number}"
            html = mjml.mjml2html(page.render(name=name, paragraphs=paragraphs), fonts={})
            message = EmailMessage()
            message["From"], message["To"] = "news@example.org", f"person{number}@office.example"
            message["Subject"] = "News"
            message.set_content("\n".join(text.render(name=name, n=n) for n in range(paragraphs)))
            message.add_alternative(premailer.transform(html), subtype="html")
            server.send_message(message)


if __name__ == "__main__":
    port, people, paragraphs, *more = sys.argv[1:]
    main(int(port), int(people), int(paragraphs), *more)
