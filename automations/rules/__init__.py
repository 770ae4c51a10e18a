"""The rules: one pure function per kind of automation, the same live and in a simulation.

    decide(snapshot, config) -> Decision(actions, reason, findings, watch)

No clock, no database, no HTTP in here: `now` comes with the snapshot, and what the automation
did before comes with it too (`snapshot.past`, read from its intents), so a rule's memory can
never disagree with what was really sent.

To add a kind:

1. write `rules/<kind>.py` with a frozen pydantic config (unknown keys refused, every field with
   its bounds) and `decide`;
2. if it needs an action that does not exist yet, add it to the union in `rules.base` — the type
   checker then names every place that has to handle it (`automations.perform` first);
3. add a line to `KINDS` in `rules.registry`, with its schedule and limits;
4. write its decision table in `tests/automations/rules/`.
"""
