"""The rules: one pure function per kind of automation, the same live and in a simulation.

    Kind.evaluate(snapshot, config, memory) -> Decision(actions, reason, findings, watch, memory)

No clock, no database, no HTTP in here: `now` comes with the snapshot, and what the automation
sent before comes with it too (`snapshot.past` and `lifetime`, read from its intents), so a rule
can never disagree with what was really sent. What it saw and has to know again, such as since
when a position is beyond its trigger, is its `memory`, recorded with each decision.

A decision explains itself, with numbers, also when nothing is done, and names the prices at which
it would be another one: between those levels of `watch` a move of the price alone changes
nothing. They follow from the same formulas that decide: `levels.first_price` looks for the first
price at which a test becomes true, beginning at what the formula says.

    base           decisions, reasons, levels; what a kind is      actions     what can be wanted
    measures       how a position stands at a price                levels      where that changes
    scope          which positions are meant                       purse       what was spent
    unfinished     what waits for an earlier outcome               calendars   when a date is due
    margin_guard   with guarding (config), remedies, reopening
    tp_sl          auto_entry, with orders                         auto_invest, with buying
    rebalancing    trigger_order, with conditions                  registry    all kinds

To add a kind:

1. write `rules/<kind>.py` with a frozen pydantic config (unknown keys refused, every field with
   its bounds and a docstring, which clients see) and `decide`; give each price on which the
   decision depends to `levels.crossing`;
2. if it needs an action that does not exist yet, add it to the union in `rules.actions`: the type
   checker then names every place that has to handle it (`automations.perform` first);
3. add a line to `KINDS` in `rules.registry`, with its schedule and limits, and a template;
4. write its decision table in `tests/automations/rules/`, its refused configs in `test_configs`,
   and its case in `test_watch`.
"""
