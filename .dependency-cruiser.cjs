/** The picture of docs/architecture.md as rules: what may import what. */
const packages = 'packages/([^/]+)/src'
const allowed = {
  core: [],
  linux: ['core'],
  config: ['core'],
  ipvs: ['core', 'linux'],
  checkers: ['core', 'config', 'linux'],
  control: ['core', 'config'],
  vrrp: ['core', 'config'],
  director: ['core', 'config', 'linux', 'ipvs', 'checkers', 'control', 'vrrp'],
}

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(allowed).map(([name, may]) => ({
      name: `${name}-imports`,
      comment: `${name} may import ${may.length === 0 ? 'no other package' : may.join(', ')}`,
      severity: 'error',
      from: { path: `^packages/${name}/src` },
      to: { path: `^${packages}`, pathNot: `^packages/(${[name, ...may].join('|')})/src` },
    })),
    {
      name: 'no-testing-in-production',
      comment: 'fakes are for tests',
      severity: 'error',
      from: { path: `^${packages}`, pathNot: '(\\.test\\.ts$|/testing/)' },
      to: { path: '/testing/' },
    },
    {
      name: 'not-to-dev-dep',
      severity: 'error',
      from: { path: `^${packages}`, pathNot: '(\\.test\\.ts$|/testing/)' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    { name: 'not-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|build|\\.cache)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
    },
  },
}
