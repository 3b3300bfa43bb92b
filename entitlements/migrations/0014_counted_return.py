import django.db.models.deletion
from django.db import migrations, models

# What was returned before counts at each level, too; a chain has three levels.
LEVELS = (
    "SELECT movement.item_id AS item_id, movement.id AS movement_id, copies, movement.created_at AS returned_at"
    " FROM entitlements_movement movement WHERE kind = 'return'",
    "SELECT item.parent_id, movement.id, copies, movement.created_at FROM entitlements_movement movement"
    " JOIN entitlements_lineitem item ON item.id = movement.item_id"
    " WHERE kind = 'return' AND item.parent_id IS NOT NULL",
    "SELECT parent.parent_id, movement.id, copies, movement.created_at FROM entitlements_movement movement"
    " JOIN entitlements_lineitem item ON item.id = movement.item_id"
    " JOIN entitlements_lineitem parent ON parent.id = item.parent_id"
    " WHERE kind = 'return' AND parent.parent_id IS NOT NULL",
)
COUNT = (
    "INSERT INTO entitlements_countedreturn (item_id, movement_id, copies, returned_at) "
    + " UNION ALL ".join(LEVELS)
)


class Migration(migrations.Migration):
    """L4: returns are counted for every item that theirs descends from."""

    dependencies = [("entitlements", "0013_key_compromised")]

    operations = [
        migrations.CreateModel(
            name="CountedReturn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("copies", models.PositiveBigIntegerField()),
                ("returned_at", models.DateTimeField()),
                (
                    "item",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="entitlements.lineitem",
                    ),
                ),
                (
                    "movement",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="entitlements.movement",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["item", "returned_at", "copies"], name="counted_return_of_year")
                ],
            },
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
