"""Handing messages over: `outbox` (files), `smtp`, and later `sendgrid`."""
