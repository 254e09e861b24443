/** Patterns, materials and machines. */

import { count, jobs, sample } from './en.counts'
import { formatCount, formatMeasured, formatPercent } from './format'

export const shopEn = {
  patterns: {
    lead: 'How demanding the designs are now, and which were made most, of all time.',
    complexity: 'Complexity',
    complexityHint: 'all patterns there are, now; 10 for each ring, 5 for each 100 tiles',
    complexityWords: { simple: 'Simple', medium: 'Medium', complex: 'Complex', expert: 'Expert' },
    behind: (complexity: string, shown: number, n: number) =>
      shown < n
        ? `${complexity}: the first ${formatCount(shown)} of ${count(n, 'pattern', 'patterns')}`
        : `${complexity}: ${count(n, 'pattern', 'patterns')}`,
    scored: (score: string) => `score ${score}`,
    complexityRange: (from: number, to: number | null) =>
      to === null ? `over ${from}` : from === 0 ? `up to ${to}` : `${from} to ${to}`,
    complexitySummary: (n: number, mean: number) =>
      `${count(n, 'pattern', 'patterns')}, with a score of ${formatMeasured(mean)} on average.`,
    complexityNote: (range: string, share: number, examples: string) =>
      `Score ${range}\n${formatPercent(share)} of all${examples ? `\ne.g. ${examples}` : ''}`,
    rings: 'Rings',
    ringsHint: 'patterns with so many rings, now',
    ringsSummary: (mean: number) => `${formatMeasured(mean)} rings on average.`,
    ringsNote: (rings: number, n: number) =>
      `${count(rings, 'ring', 'rings')}\n${count(n, 'pattern', 'patterns')}`,
    popularity: 'Most made',
    popularityHint: 'jobs of all time that name the pattern, in any status',
    popularitySummary: (name: string, n: number, used: number) =>
      `${name} leads with ${jobs(n)}; ${count(used, 'pattern is', 'patterns are')} in use.`,
    popularNote: (rings: number, score: number) =>
      `${count(rings, 'ring', 'rings')}, complexity ${formatMeasured(score)}`,
    geometry: 'Geometry',
    geometryHint: 'over all rings that tell it, now',
    geometrySummary: (rings: number) => `${count(rings, 'ring', 'rings')} in all patterns.`,
    geometryRows: { radius_mm: 'Radius, mm', segments: 'Tiles of a ring', ring_density: 'Tiles per mm' },
    geometryColumns: { min: 'Least', median: 'Median', avg: 'Mean', max: 'Most' },
    families: 'Woods they are made of',
    familiesHint: 'patterns that name the material, now',
    familiesSummary: (name: string, n: number, without: number) =>
      `${name} is in ${count(n, 'pattern', 'patterns')}${without > 0 ? `; ${formatCount(without)} name no material` : ''}.`,
    emptyTitle: 'No patterns yet',
    emptyHint: 'Create one from a preset under Patterns.',
    unusedTitle: 'No job names a pattern yet',
    unusedHint: 'Choose the pattern when you create a job.',
    noFamiliesTitle: 'No pattern names a material',
    noFamiliesHint: 'Choose a material in the pattern’s form.',
  },
  materials: {
    lead: 'What is there and runs low now, and what was used, of all time.',
    tiles: 'Stock in figures',
    low: 'Running low',
    lowOf: (n: number) => `of ${count(n, 'material', 'materials')}`,
    stock: 'In stock',
    strips: (n: number) => count(n, 'strip', 'strips'),
    used: 'Used',
    usedBy: (reporting: number, all: number) =>
      `of all time, told by ${formatCount(reporting)} of ${jobs(all)}`,
    efficiency: 'Efficiency',
    efficiencyOf: (n: number) => `100 − mean waste of ${jobs(n)}, of all time`,
    efficiencyNone: 'needs results.waste_percentage on jobs',
    inventory: 'Stock and least stock',
    inventoryHint: 'now; the line across a bar is the least there should be',
    inventorySummary: (low: number, names: string) =>
      low === 0
        ? 'Nothing is below its least stock.'
        : `${formatCount(low)} below the least stock: ${names}.`,
    isLow: 'low',
    inventoryNote: (strips: number, least: string | null) =>
      `${count(strips, 'strip', 'strips')}${least === null ? ', no least stock set' : `, at least ${least}`}`,
    more: (n: number) => `and ${formatCount(n)} more`,
    consumption: 'Used and held',
    consumptionHint: 'bar: what jobs of all time say they used; line: what is in stock now',
    consumptionSummary: (used: string, reporting: number, all: number) =>
      `${used} used, as told by ${formatCount(reporting)} of ${jobs(all)}.`,
    consumptionNote: (held: string, reporting: number) => `${held} in stock; told by ${jobs(reporting)}`,
    waste: 'Efficiency by material',
    wasteHint: '100 − mean waste of completed jobs of all time; few jobs say little',
    wasteSummary: (best: string, worst: string) => `Best: ${best}. Worst: ${worst}.`,
    wasteText: (score: number, n: number) => `${formatPercent(score)} · ${jobs(n)}`,
    wasteNote: (n: number) => `${sample(n)}${n < 5 ? ': too few to mean much' : ''}`,
    suppliers: 'Suppliers',
    suppliersHint: 'materials of each, and what of theirs is in stock now',
    suppliersSummary: (n: number, unknown: number) =>
      `${count(n, 'supplier', 'suppliers')}${unknown > 0 ? `; ${formatCount(unknown)} without one` : ''}.`,
    supplierNote: (share: number, stock: string) => `${formatPercent(share)} of all, ${stock} in stock`,
    widths: 'Widths',
    widthsHint: 'materials with this strip width, now',
    widthsSummary: (min: string, max: string) => `From ${min} to ${max}.`,
    widthNote: (width: string, n: number) => `${width}\n${count(n, 'material', 'materials')}`,
    emptyTitle: 'No materials yet',
    emptyHint: 'Create a strip family under Materials.',
    noUseTitle: 'No job tells what it used',
    noUseHint: 'Jobs report it as results.strip_used_mm.',
    noWasteTitle: 'No job tells its waste',
    noWasteHint: 'Completed jobs report it as results.waste_percentage, from 0 to 100.',
    noSuppliersTitle: 'No suppliers yet',
    noSuppliersHint: 'Fill in “Supplier” on a material.',
  },
  machines: {
    lead: 'How much of the planned time becomes good pieces, and what takes the rest.',
    hours: 'Planned hours a day',
    days: 'Working days',
    weekdays: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'],
    shifts: 'Planned time',
    shift: (name: string, days: string, start: string, end: string) => `${name} (${days}, ${start}–${end})`,
    useShifts: 'Count the shifts instead',
    of: 'Show',
    all: 'All together',
    oee: 'OEE, step by step',
    oeeHint: (days: number, hours: number) =>
      `${count(days, 'working day', 'working days')} of ${formatMeasured(hours)} h planned for each machine that had a job`,
    oeeHintShifts: (names: string) => `shifts planned for each machine that had a job: ${names}`,
    oeeSummary: (oee: number, loss: string, share: number) =>
      `${formatPercent(oee)} of planned time became good pieces at the planned pace. Most was lost to ${loss}: ${formatPercent(share)}.`,
    hardlyUsed: (oee: number, ran: string, planned: string) =>
      `Jobs ran for only ${ran} of the ${planned} planned, so OEE (${formatPercent(oee)}) says little: choose a shorter period, or plan the hours that are worked.`,
    oeeNoLoss: (oee: number) =>
      `${formatPercent(oee)} of planned time became good pieces at the planned pace.`,
    steps: {
      planned: 'Planned',
      availability: 'Availability',
      effectiveness: 'Effectiveness',
      quality: 'Quality',
      oee: 'OEE',
    },
    /** The same where there is little room. */
    shortSteps: {
      planned: 'Planned',
      availability: 'Avail.',
      effectiveness: 'Effect.',
      quality: 'Quality',
      oee: 'OEE',
    },
    lossWords: {
      availability: 'standing still',
      effectiveness: 'being slower than planned',
      quality: 'scrap',
    } as Record<string, string>,
    missingTitle: 'OEE needs three figures',
    missing: {
      availability:
        'Availability needs jobs with durations, and planned hours; only machines have planned time.',
      effectiveness:
        'Effectiveness needs parameters.planned_seconds_per_piece on jobs with pieces and durations.',
      quality: 'Quality needs good and scrap pieces on jobs.',
    },
    tiles: 'Reliability in figures',
    mtbf: 'MTBF',
    mtbfOf: (n: number) => `between failures, ${sample(n)}`,
    mttr: 'MTTR',
    mttrOf: (n: number) => `to repair, ${sample(n)}`,
    running: 'Running time',
    runningOf: (n: number, untimed: number) =>
      `${jobs(n)}${untimed > 0 ? `, ${formatCount(untimed)} without a duration` : ''}`,
    stops: 'Stops',
    stopsOf: (open: number) => (open > 0 ? `${formatCount(open)} not over yet` : 'all of them over'),
    waiting: 'Glue drying',
    waitingNote: 'part of the work, no loss',
    groups: 'Side by side',
    groupsHint: 'OEE, or running time where OEE is not known',
    groupsSummary: (n: number, hasOee: boolean) =>
      `${formatCount(n)} in all, ${hasOee ? 'the highest OEE' : 'the longest running'} first.`,
    downtime: 'Downtime by reason',
    downtimeHint: 'time that jobs were held, suspended or interrupted',
    downtimeBy: 'Downtime',
    downtimeSummary: (total: string, first: string, share: number) =>
      `${total} lost; ${first} alone ${formatPercent(share)}.`,
    noDowntimeTitle: 'No downtime in this period',
    noDowntimeHint: 'When a job is held, say why: time and reason are counted here.',
    noLengthHint: (stops: number) =>
      `${count(stops, 'stop has', 'stops have')} no length: a job failed without being held before, or is held still.`,
    emptyTitle: 'No job ended in this period',
    emptyHint: 'Name the machine on jobs, and report their end.',
  },
}
