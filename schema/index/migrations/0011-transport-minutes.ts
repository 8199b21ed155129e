/**
 * Minutes of triggers for each transport, since both can be listened to at once: what was counted before came by either
 * and stays with Service Bus. And where the files of each sink are, as the worker was told that started last.
 */
export const transportMinutes: readonly string[] = [
  /* sql */ `alter table trigger_minutes add column source text not null default 'trigger'`,
  /* sql */ `alter table trigger_minutes drop constraint trigger_minutes_pkey`,
  /* sql */ `alter table trigger_minutes add primary key (account_id, source, minute)`,
  /* sql */ `alter table sinks add column root text`,
];
