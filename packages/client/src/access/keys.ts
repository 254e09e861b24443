/** Names of what the access page keeps in the query cache. */
export const accessKeys = {
  users: ['access', 'users'],
  keys: ['access', 'keys'],
  connections: ['access', 'connections'],
} as const
