"""The fault campaign: one real process, a seeded plan of faults, and a ledger that must balance."""
