import type pg from 'pg'

/**
 * Each query gives one column `line` of text, already in a stable order. Together they say all that
 * the migrations made in the schema `public`; seeded rows and passwords are no part of it.
 */
const SECTIONS: Readonly<Record<string, string>> = {
  domains: `
    select format(E'create domain %s as %s\\n  constraint %s %s;', t.typname,
      format_type(t.typbasetype, t.typtypmod), k.conname, pg_get_constraintdef(k.oid)) as line
    from pg_type t join pg_constraint k on k.contypid = t.oid
    where t.typnamespace = 'public'::regnamespace
    order by t.typname collate "C", k.conname collate "C"`,
  tables: `
    select format(E'create table %s (\\n%s\\n)%s;', c.relname,
      string_agg(format('  %s %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
        case when a.attgenerated = 's' then format(' generated always as (%s) stored',
            pg_get_expr(d.adbin, d.adrelid))
          when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid)
          else '' end,
        case when a.attnotnull then ' not null' else '' end), E',\\n' order by a.attnum),
      concat(' partition by ' || pg_get_partkeydef(c.oid),
        ' partition of ' || i.inhparent::regclass || ' ' || pg_get_expr(c.relpartbound, c.oid),
        ' with (' || array_to_string(c.reloptions, ', ') || ')')) as line
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    left join pg_inherits i on i.inhrelid = c.oid
    where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
    group by c.oid, c.relname, c.reloptions, i.inhparent order by c.relname collate "C"`,
  constraints: `
    select format(E'alter table %s add constraint %s\\n  %s;', c.relname, k.conname,
      pg_get_constraintdef(k.oid)) as line
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    where k.connamespace = 'public'::regnamespace and k.contype <> 'n'
    order by c.relname collate "C", k.conname collate "C"`,
  indexes: `
    select indexdef || ';' as line from pg_indexes i
    where schemaname = 'public' and not exists (
      select from pg_constraint k where k.connamespace = 'public'::regnamespace
        and k.conname = i.indexname and k.contype in ('p', 'u', 'x'))
    order by indexname collate "C"`,
  functions: `
    select trim(trailing E'\\n' from pg_get_functiondef(p.oid)) || ';' as line
    from pg_proc p where p.pronamespace = 'public'::regnamespace
    order by p.proname collate "C", pg_get_function_identity_arguments(p.oid) collate "C"`,
  triggers: `
    select pg_get_triggerdef(t.oid) || ';' || case t.tgenabled when 'O' then ''
      else ' -- not enabled as usual: ' || t.tgenabled::text end as line
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where not t.tgisinternal and c.relnamespace = 'public'::regnamespace
    order by c.relname collate "C", t.tgname collate "C"`,
  policies: `
    select format('alter table %s enable row level security;', relname) as line
    from pg_class where relrowsecurity and relnamespace = 'public'::regnamespace
    union all
    select format('create policy %s on %s as %s for %s to %s%s%s;', policyname, tablename,
      lower(permissive), lower(cmd), array_to_string(roles, ', '),
      coalesce(' using (' || qual || ')', ''), coalesce(' with check (' || with_check || ')', ''))
    from pg_policies where schemaname = 'public' order by line`,
  'rights on tables': `
    select format('grant %s on %s to %s;', lower(r.privilege_type), c.relname,
      coalesce(nullif(r.grantee, 0)::regrole::text, 'public')) as line
    from pg_class c cross join aclexplode(c.relacl) r
    where c.relnamespace = 'public'::regnamespace and r.grantee <> c.relowner
    order by c.relname collate "C", line`,
  'rights on columns': `
    select format(E'grant %s (%s)\\n  on %s to %s;', lower(r.privilege_type),
      string_agg(a.attname, ', ' order by a.attname collate "C"), c.relname,
      coalesce(nullif(r.grantee, 0)::regrole::text, 'public')) as line
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    cross join aclexplode(a.attacl) r
    where c.relnamespace = 'public'::regnamespace and r.grantee <> c.relowner
    group by c.relname, r.grantee, r.privilege_type order by c.relname collate "C", line`,
  'rights on functions': `
    select format('grant %s on function %s to %s;', lower(r.privilege_type), p.proname,
      coalesce(nullif(r.grantee, 0)::regrole::text, 'public')) as line
    from pg_proc p
    cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) r
    where p.pronamespace = 'public'::regnamespace and r.grantee <> p.proowner
    order by p.proname collate "C", line`,
}

/**
 * The schema of a database as text that is the same for the same schema, whoever owns it: tables,
 * constraints, indexes, functions, triggers, policies and the rights of every role but the owner.
 */
export async function schemaText(client: pg.Client): Promise<string> {
  const sections = ['-- Made by scripts/dump-schema.ts from a migrated database; do not edit.']
  for (const [title, query] of Object.entries(SECTIONS)) {
    const { rows } = await client.query<{ line: string }>(query)
    const gap = rows.some(({ line }) => line.includes('\n')) ? '\n\n' : '\n'
    sections.push(`-- ${title}\n`, rows.map(({ line }) => line).join(gap))
  }
  return `${sections
    .join('\n')
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll('\n-- ', '\n\n-- ')}\n`
}
