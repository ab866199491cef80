"""`python -m mlgroup_mail`: the command line."""

from mlgroup_mail.cli.main import run

if __name__ == "__main__":
    run()
