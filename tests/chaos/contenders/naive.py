"""The loop that everybody writes first: read the list, send, note that it was sent.

`naive.py DATABASE PORT`: sends to everybody in the table `person` who is not marked yet.
"""

import smtplib
import sqlite3
import sys
from email.message import EmailMessage


def main(database: str, port: int) -> None:
    connection = sqlite3.connect(database)
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
        for (address,) in connection.execute("SELECT address FROM person WHERE sent = 0 ORDER BY address").fetchall():
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = "news@example.org", address, "News"
            message["Message-ID"] = f"<{address.partition('@')[0]}@naive.example>"
            message.set_content("There is news.\n" * 40)
            smtp.sendmail("news@example.org", [address], message.as_bytes())
            connection.execute("UPDATE person SET sent = 1 WHERE address = ?", (address,))
            connection.commit()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
