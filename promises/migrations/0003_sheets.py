# Payouts of the platforms, and the rights to take claims, payouts and terms in and out.

import cases.models.money
import django.db.models.deletion
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0011_sheet_kinds'),
        ('promises', '0002_breaches'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='claim',
            options={'ordering': ['-id'], 'permissions': [('file_claim', 'Can file a claim on an order'), ('import_claim', 'Can import claims'), ('export_claim', 'Can export claims'), ('accept_claim', 'Can take the step accept'), ('contest_claim', 'Can take the step contest'), ('adjudicate_claim', 'Can take the step adjudicate'), ('uphold_claim', 'Can take the step uphold'), ('dismiss_claim', 'Can take the step dismiss'), ('withdraw_claim', 'Can take the step withdraw'), ('reverse_claim', 'Can take the step reverse'), ('escalate_claim', 'Can take the step escalate')], 'verbose_name': 'claim', 'verbose_name_plural': 'claims'},
        ),
        migrations.AlterModelOptions(
            name='term',
            options={'ordering': ['promise', 'platform', 'shop_id', '-valid_from'], 'permissions': [('import_term', 'Can import terms'), ('export_term', 'Can export terms')], 'verbose_name': 'terms of a promise', 'verbose_name_plural': 'terms of promises'},
        ),
        migrations.AlterModelOptions(
            name='entry',
            options={'ordering': ['deposit_id', 'seq'], 'permissions': [('export_entry', 'Can export the statements of deposits')], 'verbose_name': 'entry', 'verbose_name_plural': 'entries'},
        ),
        migrations.CreateModel(
            name='Payout',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('platform', models.CharField(choices=[('taobao', 'Taobao'), ('tmall', 'Tmall'), ('douyin', 'Douyin'), ('jd', 'JD'), ('pdd', 'Pinduoduo'), ('other', 'Other')], max_length=10, verbose_name='platform')),
                ('number', models.CharField(blank=True, default='', max_length=64, verbose_name='payout no.')),
                ('order_no', models.CharField(max_length=64, verbose_name='order no.')),
                ('amount', cases.models.money.MoneyField(blank=True, null=True, verbose_name='amount there')),
                ('reason', models.CharField(blank=True, default='', max_length=200, verbose_name='reason')),
                ('status', models.CharField(blank=True, choices=[('paid', 'Paid'), ('pending', 'Under way'), ('failed', 'Not paid'), ('', '–')], default='', max_length=8, verbose_name='status')),
                ('word', models.CharField(blank=True, default='', max_length=60, verbose_name="platform's word")),
                ('paid_at', models.DateTimeField(blank=True, null=True, verbose_name='payout time')),
                ('text', models.CharField(blank=True, default='', max_length=300, verbose_name='text')),
                ('extra', models.JSONField(blank=True, default=dict, editable=False)),
                ('heard_at', models.DateTimeField(verbose_name='heard at')),
                ('ours', cases.models.money.MoneyField(blank=True, editable=False, null=True, verbose_name='amount here')),
                ('difference', models.CharField(blank=True, choices=[('not_here', 'Paid there, not here'), ('not_there', 'Paid here, not there'), ('amount', 'Other amount')], default='', editable=False, max_length=10, verbose_name='difference')),
                ('explained', models.BooleanField(default=False, editable=False, verbose_name='explained')),
                ('open', models.BooleanField(default=False, editable=False)),
                ('claim', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payout', to='promises.claim', verbose_name='claim')),
                ('compensation', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payout', to='cases.compensation', verbose_name='compensation')),
                ('order', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payouts', to='cases.order', verbose_name='order')),
                ('shop', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.shop', verbose_name='shop')),
            ],
            options={
                'verbose_name': "platform's payout",
                'verbose_name_plural': "platform's payouts",
                'ordering': ['-paid_at', '-id'],
                'permissions': [('import_payout', "Can import the platform's payouts"), ('settle_payout', 'Can settle differences of payouts')],
            },
        ),
        migrations.CreateModel(
            name='PayoutNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('way', models.CharField(choices=[('adopt', "Adopt the platform's payout"), ('link', 'Link to what it pays'), ('note', 'Put aside as explained')], max_length=8, verbose_name='way')),
                ('difference', models.CharField(blank=True, choices=[('not_here', 'Paid there, not here'), ('not_there', 'Paid here, not there'), ('amount', 'Other amount')], max_length=10, verbose_name='difference')),
                ('theirs', cases.models.money.MoneyField(null=True, verbose_name='amount there')),
                ('ours', cases.models.money.MoneyField(null=True, verbose_name='amount here')),
                ('text', models.CharField(blank=True, default='', max_length=300, verbose_name='reason')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
                ('payout', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='promises.payout', verbose_name="platform's payout")),
            ],
            options={
                'verbose_name': 'note on a payout',
                'verbose_name_plural': 'notes on payouts',
                'ordering': ['-id'],
            },
        ),
        migrations.AddIndex(
            model_name='payout',
            index=models.Index(condition=models.Q(('open', True)), fields=['shop', 'difference'], name='payout_open'),
        ),
        migrations.AddIndex(
            model_name='payout',
            index=models.Index(fields=['shop', '-paid_at', '-id'], name='payout_newest'),
        ),
        migrations.AddIndex(
            model_name='payout',
            index=models.Index(fields=['order_no'], name='payout_order_no'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.UniqueConstraint(condition=models.Q(('number', ''), _negated=True), fields=('platform', 'number'), name='payout_once'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.CheckConstraint(condition=models.Q(('amount__isnull', True), ('amount__gt', Decimal('0.00')), _connector='OR'), name='payout_positive'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.CheckConstraint(condition=models.Q(('open', False), models.Q(models.Q(('difference', ''), _negated=True), ('explained', False)), _connector='OR'), name='payout_open_is_a_difference'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.CheckConstraint(condition=models.Q(('claim__isnull', True), ('compensation__isnull', True), _connector='OR'), name='payout_pays_one_thing'),
        ),
    ]
