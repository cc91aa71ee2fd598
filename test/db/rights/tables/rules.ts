import { noRight, refused, type Refusal } from '../../support/refusals.js'
import { POLICY } from '../../support/texts.js'

export const RULE_REFUSALS: readonly Refusal[] = [
  ...refused('worker', noRight('payment_transitions'), {
    'adds a way out of paid': "insert into payment_transitions values ('paid', 'closed')",
  }),
  ...refused('worker', noRight('refund_transitions'), {
    'adds a way out of done': "insert into refund_transitions values ('done', 'pending')",
  }),
  ...refused('worker', noRight('refund_effects'), {
    'lets reserved amounts not count': "update refund_effects set bucket = 'none'",
  }),
  ...refused('worker', 'must be owner of table refunds', {
    'switches a trigger off': 'alter table refunds disable trigger refunds_count',
  }),
  ...refused('worker', 'permission denied to set parameter "session_replication_role"', {
    'plays a replica to skip triggers': "set session_replication_role = 'replica'",
  }),
  ...refused('api', 'permission denied for schema public', {
    'puts a table beside ours': 'create table public.payments_copy (id int)',
  }),
  ...refused('api', 'permission denied to set role "yuanlu_worker"', {
    'calls itself the worker': 'set role yuanlu_worker',
  }),
  ...refused('worker', noRight('merchants'), {
    'raises the limit of the operator': 'update merchants set engine_operator_limit_fen = 1',
  }),
  ...refused('api', noRight('channel_accounts'), {
    'changes a notify token': "update channel_accounts set notify_token = 'x'",
  }),
  ...refused('api', noRight('api_keys'), {
    'gives itself an API key': 'insert into api_keys (id) values (gen_random_uuid())',
    'widens the scopes of a key': "update api_keys set scopes = '{}'",
  }),
  ...refused('worker', noRight('api_keys'), { 'reads the API keys': 'table api_keys' }),
  ...refused('api', noRight('credential_versions'), {
    'stores a credential': 'insert into credential_versions (version) values (1)',
    'retires a credential': "update credential_versions set state = 'retired'",
  }),
  ...refused('worker', noRight('credential_versions'), {
    'stores a credential': 'insert into credential_versions (version) values (1)',
    'deletes a credential': 'delete from credential_versions',
  }),
  ...refused('api', noRight('idempotency_keys'), {
    'frees an idempotency key': 'delete from idempotency_keys',
    'rewrites an idempotency key': "update idempotency_keys set key = 'x'",
  }),
  ...refused('worker', noRight('idempotency_keys'), {
    'reads the idempotency keys': 'table idempotency_keys',
  }),
  ...refused('owner', 'channel_accounts_live_time_is_real', {
    'speeds up the time of real money': "update channel_accounts set mode = 'live', time_scale = 2",
  }),
  ...refused('owner', 'approval_policies_approve_little', {
    'approves at the deadline whatever it is': POLICY.replace("'close'", "'approve'"),
  }),
  ...refused('owner', 'approval_policies_immutable', {
    'changes a policy': 'update approval_policies set spacing_s = 1',
  }),
  ...refused('owner', 'approval_policies_never_removed', {
    'deletes a policy': 'delete from approval_policies',
    'truncates policies': 'truncate approval_policies cascade',
  }),
  ...refused('owner', 'approval_rules_immutable', {
    'changes a rule of a policy': 'update approval_rules set approvals = 0',
  }),
  ...refused('owner', 'approval_rules_never_removed', {
    'deletes a rule of a policy': 'delete from approval_rules',
    'truncates the rules of policies': 'truncate approval_rules',
  }),
  ...refused('worker', 'person_day_totals_grow', {
    'forgets what was approved on a day': 'update person_day_totals set approved_fen = 0',
  }),
  ...refused('owner', 'person_day_totals_never_removed', {
    'deletes what was approved on a day': 'delete from person_day_totals',
    'truncates what was approved': 'truncate person_day_totals',
  }),
  ...refused('worker', noRight('schema_migrations'), {
    'says that a migration has run': "insert into schema_migrations values ('x')",
  }),
]
