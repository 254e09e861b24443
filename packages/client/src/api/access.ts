/** Who may come in: logging in and out, and what an admin decides about it. */

import { request } from './http'

const PREFIX = '/api/rmos/auth'

/** Each may do what the ones before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** Somebody who is known to the server. */
export interface Identity {
  user: string
  role: Role
  /** Channel patterns they are limited to; null for no limit. */
  channels: string[] | null
  /** When they have to log in again; null for never. */
  expires_at: string | null
}

export interface Auth {
  /** Whether the server wants to know who one is. */
  required: boolean
  /** Null for who must log in. */
  identity: Identity | null
}

export type Proof = { code: string } | { user: string; password: string }

export interface User {
  name: string
  role: Role
  channels: string[] | null
  disabled: boolean
  has_password: boolean
  created_at: string
}

export interface UserChanges {
  role?: Role
  channels?: string[] | null
  disabled?: boolean
  password?: string | null
}

export interface ApiKey {
  id: string
  name: string
  role: Role
  channels: string[] | null
  /** Null for never. */
  expires_at: string | null
  created_at: string
  created_by: string
}

export interface NewKey {
  name: string
  role: Role
  channels: string[] | null
  expires_at: string | null
}

/** One connection to the monitor. */
export interface Connection {
  id: string
  peer: string
  user: string
  transport: 'websocket' | 'sse'
  /** Events between what it was sent and the newest. */
  lag: number
  is_paused: boolean
  connected_at: string
}

export interface Verification {
  ok: boolean
  /** Events that are what they were. */
  checked: number
  /** Noted heads that lay within the log. */
  compared: number
  fault: { offset: number; reason: string } | null
  oldest: number
  head: number
  /** The head as `verifyLog` takes it at another time. */
  noted: string
}

export async function whoAmI(): Promise<Auth> {
  return authOf((await request(`${PREFIX}/me`, { isOpen: true })).body)
}

/** @throws ApiError 401 when the proof does not hold, 429 when there were too many that did not. */
export async function logIn(proof: Proof): Promise<Auth> {
  return authOf((await request(`${PREFIX}/login`, { method: 'POST', body: proof, isOpen: true })).body)
}

export async function logOut(): Promise<Auth> {
  return authOf((await request(`${PREFIX}/logout`, { method: 'POST', isOpen: true })).body)
}

export async function listUsers(signal?: AbortSignal): Promise<User[]> {
  const { body } = await request(`${PREFIX}/users`, signal ? { signal } : {})
  return (body as { users: User[] }).users
}

export async function addUser(user: UserChanges & { name: string; role: Role }): Promise<User> {
  return ((await request(`${PREFIX}/users`, { method: 'POST', body: user })).body as { user: User }).user
}

export async function changeUser(name: string, changes: UserChanges): Promise<User> {
  const { body } = await request(userPath(name), { method: 'PATCH', body: changes })
  return (body as { user: User }).user
}

export async function removeUser(name: string): Promise<void> {
  await request(userPath(name), { method: 'DELETE' })
}

export async function listKeys(signal?: AbortSignal): Promise<ApiKey[]> {
  const { body } = await request(`${PREFIX}/keys`, signal ? { signal } : {})
  return (body as { keys: ApiKey[] }).keys
}

/** The secret of the new key, which the server tells this once. */
export async function addKey(key: NewKey): Promise<string> {
  return ((await request(`${PREFIX}/keys`, { method: 'POST', body: key })).body as { secret: string }).secret
}

export async function removeKey(id: string): Promise<void> {
  await request(`${PREFIX}/keys/${encodeURIComponent(id)}`, { method: 'DELETE' })
}

/** Those that have been there longest come first; `total` counts all. */
export async function listConnections(
  signal?: AbortSignal,
): Promise<{ connections: Connection[]; total: number }> {
  const { body } = await request('/api/rmos/monitor/connections', signal ? { signal } : {})
  return body as { connections: Connection[]; total: number }
}

/** Walk through the whole log. `head`: one noted before, which the log must still have; null for none. */
export async function verifyLog(head: string | null): Promise<Verification> {
  const query = head === null ? '' : `?${new URLSearchParams({ head })}`
  const { body } = await request(`/api/rmos/audit/verify${query}`)
  return (body as { verification: Verification }).verification
}

/** Where a part of the log is downloaded from. Days as `2026-11-24` of this browser's time; empty for no bound. */
export function exportAddress(fromDay: string, toDay: string): string {
  const query = new URLSearchParams()
  if (fromDay !== '') query.set('from', new Date(`${fromDay}T00:00:00`).toISOString())
  if (toDay !== '') query.set('to', new Date(`${toDay}T23:59:59.999`).toISOString())
  return `/api/rmos/audit/export${query.size > 0 ? `?${query}` : ''}`
}

function userPath(name: string): string {
  return `${PREFIX}/users/${encodeURIComponent(name)}`
}

function authOf(body: unknown): Auth {
  const { auth } = body as {
    auth: { required: boolean; user: string | null; role: Role | null } & Omit<Identity, 'user' | 'role'>
  }
  const { required, user, role, channels, expires_at } = auth
  return { required, identity: user === null || role === null ? null : { user, role, channels, expires_at } }
}
