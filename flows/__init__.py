"""The Prefect flows: one file per job. Nothing else imports Prefect."""
