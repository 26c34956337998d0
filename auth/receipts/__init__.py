"""Delivery receipts: what providers say afterwards about texts that they took, tied to the login that they were for."""
