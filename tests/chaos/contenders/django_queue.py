"""django-post_office, as its documentation says to use it: a queue in the database, and `send_queued_mail`.

`django_queue.py DATABASE PORT prepare ADDRESSES` fills the queue, `django_queue.py DATABASE PORT send` empties it.
"""

import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command


def main(database: str, port: int, what: str, *more: str) -> None:
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        EMAIL_BACKEND="post_office.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        EMAIL_TIMEOUT=30,
        POST_OFFICE={"LOCK_FILE": f"{database}.lock"},
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        USE_TZ=True,
        SECRET_KEY="for this comparison and nothing else",
        LOGGING_CONFIG=None,
    )
    django.setup()
    if what == "prepare":
        from post_office import mail

        call_command("migrate", verbosity=0)
        for address in Path(more[0]).read_text(encoding="utf-8").split():
            mail.send(address, "news@example.org", subject="News", message="There is news.\n" * 40)
    else:
        call_command("send_queued_mail", processes=1, lockfile=f"{database}.lock")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
