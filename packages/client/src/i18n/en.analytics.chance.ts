/** What goes together, and what is likely. */

import { jobs, sample } from './en.counts'
import { formatCount, formatPercent } from './format'

export const chanceEn = {
  relations: {
    lead: 'What goes together. A relation is no cause: it says where to look.',
    matrix: 'Which measures go together',
    matrixHint: (n: number, unit: string) =>
      `Pearson’s r over the newest ${formatCount(n)} ${unit}; + together, − against each other`,
    units: { job: 'jobs', pattern: 'patterns', material: 'materials' },
    matrixSummary: (x: string, y: string, r: string, n: number) =>
      `Strongest: ${x} with ${y}, r = ${r}, ${sample(n)}. Of many pairs some look related by chance.`,
    cell: (x: string, y: string, r: string, n: number) => `${x} × ${y}\nr = ${r}, ${sample(n)}`,
    cellNone: (x: string, y: string, n: number) =>
      `${x} × ${y}\nno r: too few jobs tell both, or one never varies (${sample(n)})`,
    same: (name: string) => `${name} with itself`,
    look: 'look closer',
    matrixEmptyTitle: 'Too few to compare',
    matrixEmptyHint: (isOfAllTime: boolean) =>
      `At least three jobs must tell two measures each: durations, waste, scrap, kerf, tool.${isOfAllTime ? '' : ' Choose a longer period, or wait for more jobs.'}`,
    pair: (x: string, y: string) => `${x} and ${y}`,
    pairHint: (shown: number, n: number) =>
      shown < n ? `the newest ${formatCount(shown)} of ${formatCount(n)} are drawn` : sample(n),
    pairSummary: (
      r: string,
      low: string | null,
      high: string | null,
      p: string,
      n: number,
      spearman: string,
    ) =>
      `r = ${r}${low !== null && high !== null ? ` (95 % between ${low} and ${high})` : ''}, p ${p}, ${sample(n)}; by ranks (Spearman) ${spearman}.`,
    strength: {
      none: 'No relation to speak of.',
      weak: 'A weak relation.',
      medium: 'A clear relation.',
      strong: 'A strong relation.',
    },
    unsure: 'It may be chance.',
    pairEmptyTitle: 'No relation can be computed',
    pairEmptyHint: (n: number) => `${sample(n)}: at least 3 are needed that tell both, and both must vary.`,
    x: 'Across',
    y: 'Up',
    open: 'open it',
    measures: {
      'job.duration_seconds': 'Duration, s',
      'job.success': 'Success',
      'job.waste_percentage': 'Waste, %',
      'job.strip_used_mm': 'Strip used, mm',
      'job.good_qty': 'Good pieces',
      'job.scrap_qty': 'Scrap pieces',
      'job.rework_qty': 'Rework pieces',
      'job.kerf_drift_mm': 'Kerf drift, mm',
      'job.tool_diameter_mm': 'Tool diameter, mm',
      'pattern.ring_count': 'Rings',
      'pattern.complexity_score': 'Complexity',
      'pattern.segments': 'Tiles of the pattern',
      'pattern.radius_mm': 'Radius, mm',
      'material.strip_width_mm': 'Strip width, mm',
      'material.strip_thickness_mm': 'Strip thickness, mm',
      'material.efficiency_score': 'Material efficiency',
    },
  },
  predictor: {
    lead: 'How likely is a job like this to fail, judging from all that ever ended?',
    form: 'The job',
    type: 'Kind of job',
    material: 'Wood or material',
    tool: 'Tool diameter',
    anyType: 'Any kind',
    anyMaterial: 'Any material',
    toolHint: 'Empty: not known.',
    ask: 'Risk',
    risk: 'Risk of failure',
    riskHint: (low: string, high: string) => `between ${low} and ${high} with 90 % probability`,
    bands: { low: 'Low', medium: 'Medium', high: 'High' },
    advice: {
      low: 'Go ahead.',
      medium: 'Check tool, material and settings first, and make one piece before the rest.',
      high: 'Do not start without a change: most such jobs fail.',
    },
    basis: (n: number, basis: string) => `Rests on ${jobs(n)}: ${basis}.`,
    prior: 'There is no history yet. This is what is expected of any shop: one failure in ten jobs.',
    bases: {
      'all jobs': 'all that ended',
      'job type': 'those of this kind',
      material: 'those of this kind and material',
      tool: 'those of this kind, material and tool size',
    } as Record<string, string>,
    fewOnly: 'That is few: the risk is drawn towards that of all jobs.',
    steps: 'How the risk comes about',
    stepsHint:
      'from all jobs of all time to those most alike; few jobs hardly move it; there is no list by material or tool size',
    showFailed: 'show the failed jobs',
    stepsSummary: 'Each step begins with the risk of the one before.',
    stepNote: (failed: number, n: number) => `${formatCount(failed)} of ${jobs(n)} failed`,
    quality: 'How good such predictions have been',
    qualityHint:
      'the newest ended jobs; each newer one predicted from those before it alone; across: what was said, up: what came; a bar is of jobs with about the same risk, which no list tells',
    skill: (skill: number, brier: string, n: number) =>
      `${skill > 0.05 ? 'Better' : skill < -0.05 ? 'Worse' : 'No better'} than always saying the usual share of failures: skill ${formatPercent(skill * 100)}, Brier score ${brier}, ${sample(n)}.`,
    qualityTooFew: (n: number) => `${sample(n)} is too few to say how good predictions are.`,
    observedOf: 'What came',
    calibrationNote: (predicted: string, observed: string, n: number) =>
      `said ${predicted}, came ${observed}\n${sample(n)}`,
    ideal: 'The line across a bar is what was said: the nearer they are, the more the risk can be trusted.',
    qualityEmptyTitle: 'No ended jobs to try it on',
    qualityEmptyHint: 'Predictions are tried on the newer half of the jobs that ended.',
  },
}
