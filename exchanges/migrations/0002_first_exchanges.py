from django.db import migrations

EXCHANGES = (
    ("lnmarkets", "LN Markets"),
    ("lnmarkets-signet", "LN Markets (signet)"),
    ("paper", "Paper exchange"),
)


def add(apps, schema_editor):
    exchange = apps.get_model("exchanges", "Exchange")
    for slug, name in EXCHANGES:
        exchange.objects.get_or_create(slug=slug, defaults={"name": name, "adapter": "lnmarkets"})


class Migration(migrations.Migration):
    dependencies = [("exchanges", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
