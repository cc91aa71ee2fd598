/**
 * Finds the optional packages that the lock leaves out. npm drops, without a word, those whose
 * build for another platform is not published yet, and a later "npm ci" then refuses the lock.
 */
export function findUnlockedPackages(lock) {
  return Object.entries(lock.packages).flatMap(([from, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !isLocked(lock.packages, from, name))
      .map((name) => ({ from: from || 'package.json', name })),
  )
}

/** Looks where Node would look: beside the package first, then in each folder above it. */
function isLocked(packages, from, name) {
  const own = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`
  if (own in packages) return true
  const above = from.lastIndexOf('node_modules/')
  if (above <= 0) return from !== '' && `node_modules/${name}` in packages
  return isLocked(packages, from.slice(0, above - 1), name)
}
