/**
 * Creating and editing one entity, the same for every kind.
 *
 * Rule 1: an edit sends only the fields that were changed, based on the version that was on the screen.
 * Rule 2: while nothing was typed, the form follows the events; afterwards it only says that there is a newer version.
 * Rule 3: nothing typed is ever lost without a word.
 */

import { computed, ref, shallowRef, watch, type Ref } from 'vue'
import { ApiError, type FieldProblem } from '@/api/errors'
import { messageOf } from '@/api/messages'
import { createEntity, getEntity, updateEntity } from '@/api/stores'
import type { EntityOf, Kind } from '@/api/types'
import { useLive } from '@/stores/live'

export interface FormRecipe<K extends Kind, D extends object> {
  kind: K
  /** The draft of an entity; of a new one for null. */
  toDraft: (entity: EntityOf[K] | null) => D
  /** What the draft says. Problems found here keep it from being sent. */
  toFields: (draft: D) => { fields: Record<string, unknown>; problems: FieldProblem[] }
}

export function useEntityForm<K extends Kind, D extends object>(
  recipe: FormRecipe<K, D>,
  entity: Readonly<Ref<EntityOf[K] | null>>,
) {
  const live = useLive()
  /** The version the draft was made from; null for a new entity. */
  const base = shallowRef(entity.value) as Ref<EntityOf[K] | null>
  const draft = ref(recipe.toDraft(base.value)) as Ref<D>
  const isSaving = ref(false)
  const problems = ref<FieldProblem[]>([])
  const failure = ref<string | null>(null)
  /** The stored version that an edit collided with. */
  const conflict = shallowRef<EntityOf[K] | null>(null) as Ref<EntityOf[K] | null>

  const isDirty = computed(() => JSON.stringify(draft.value) !== JSON.stringify(recipe.toDraft(base.value)))
  const isOutdated = computed(
    () => isDirty.value && (entity.value?.version ?? 0) > (base.value?.version ?? Number.POSITIVE_INFINITY),
  )

  watch(entity, (latest) => {
    if (latest && (!base.value || latest.id !== base.value.id || !isDirty.value)) rebase(latest)
  })

  /** Show this version, without any changes. */
  function rebase(version: EntityOf[K] | null): void {
    base.value = version
    draft.value = recipe.toDraft(version)
    problems.value = []
    failure.value = null
    conflict.value = null
  }

  /** Store the draft. Null when it was not stored: `problems`, `failure` or `conflict` says why. */
  async function save(): Promise<EntityOf[K] | null> {
    const read = recipe.toFields(draft.value)
    problems.value = read.problems
    failure.value = null
    if (read.problems.length > 0) return null
    return base.value ? sendEdit(base.value, changed(base.value, read.fields)) : sendNew(read.fields)
  }

  /** The answer to `conflict`: take the stored version, or put the own changes on top of it. */
  async function settle(choice: 'reload' | 'overwrite'): Promise<EntityOf[K] | null> {
    const latest = conflict.value
    if (!latest) return null
    if (choice === 'reload') {
      rebase(latest)
      return null
    }
    const read = recipe.toFields(draft.value)
    const fields = base.value ? changed(base.value, read.fields) : read.fields
    conflict.value = null
    return sendEdit(latest, fields)
  }

  function changed(from: EntityOf[K], fields: Record<string, unknown>): Record<string, unknown> {
    const before = recipe.toFields(recipe.toDraft(from)).fields
    return Object.fromEntries(
      Object.entries(fields).filter(
        ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
      ),
    )
  }

  function sendNew(fields: Record<string, unknown>): Promise<EntityOf[K] | null> {
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
    return sending(() => createEntity(recipe.kind, given))
  }

  async function sendEdit(from: EntityOf[K], fields: Record<string, unknown>): Promise<EntityOf[K] | null> {
    return sending(() => updateEntity(recipe.kind, from.id, fields, from.version), from.id)
  }

  async function sending(send: () => Promise<EntityOf[K]>, id?: string): Promise<EntityOf[K] | null> {
    isSaving.value = true
    try {
      const stored = await send()
      live.cache.applyAnswer(recipe.kind, stored)
      rebase(stored)
      return stored
    } catch (error) {
      await explain(error, id)
      return null
    } finally {
      isSaving.value = false
    }
  }

  async function explain(error: unknown, id: string | undefined): Promise<void> {
    if (error instanceof ApiError && error.status === 412 && id !== undefined) {
      try {
        conflict.value = await getEntity(recipe.kind, id)
      } catch (again) {
        failure.value = messageOf(again)
      }
    } else if (error instanceof ApiError && error.fields.length > 0) {
      problems.value = [...error.fields]
    } else {
      failure.value = messageOf(error)
    }
  }

  /** What is wrong with the field at this JSON pointer; undefined when nothing is. */
  function problemAt(pointer: string): string | undefined {
    return problems.value.find((problem) => problem.pointer === pointer)?.detail
  }

  return {
    base,
    draft,
    isDirty,
    isOutdated,
    isSaving,
    problems,
    failure,
    conflict,
    save,
    settle,
    discard: () => rebase(entity.value),
    problemAt,
  }
}
