# Kinds of sheets are known to cases.sheets.registry; apps add their own.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0010_reference_sheets'),
    ]

    operations = [
        migrations.AlterField(
            model_name='exportjob',
            name='kind',
            field=models.CharField(max_length=20, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='headeralias',
            name='kind',
            field=models.CharField(max_length=20, verbose_name='kind of sheet'),
        ),
    ]
