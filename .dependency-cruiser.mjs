/** The import table of the layout. A folder may import itself and what its row names; everything else fails the build. */
const allowed = {
  namespace: [],
  schema: ['namespace'],
  workflows: ['namespace', 'schema/inputs'],
  reconciler: ['namespace', 'schema'],
  activities: ['namespace', 'schema', 'reconciler'],
  infra: ['namespace', 'schema'],
};

const layout = Object.entries(allowed).map(([folder, targets]) => ({
  name: `${folder}-imports`,
  comment: `${folder}/ may import ${[folder, ...targets].join(', ')} and packages`,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: {
    path: '^(namespace|schema|workflows|reconciler|activities|infra|cli|bench|test)/',
    pathNot: [folder, ...targets].map((target) => `^${target}/`),
    // A type vanishes before the workflow is bundled.
    ...(folder === 'workflows' ? { dependencyTypesNot: ['type-only'] } : {}),
  },
}));

export default {
  forbidden: [
    ...layout,
    {
      name: 'namespace-is-pure',
      comment: 'namespace/ has no I/O, clock, randomness or packages',
      severity: 'error',
      from: { path: '^namespace/' },
      to: { pathNot: '^namespace/' },
    },
    {
      name: 'workflows-are-deterministic',
      comment: 'a workflow bundle must not reach pg, Azure clients or Node itself',
      severity: 'error',
      from: { path: '^(workflows|schema/inputs)/' },
      to: { path: '(^node:|node_modules/(pg|kysely|@azure)/)', reachable: true },
    },
    {
      name: 'no-tests-in-production',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
