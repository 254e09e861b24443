/** How much gets done and how well, and whether that changes. */

import { count, jobs, percent, sample } from './en.counts'
import { formatCount, formatDuration, formatMeasured, formatNumber, formatPercent } from './format'

export const jobsEn = {
  overview: {
    lead: 'How much gets done, how well, and how it flows.',
    tiles: 'The period in figures',
    completed: 'Completed',
    perDay: (n: number) => `${formatNumber(n)} a day, all days counted`,
    success: 'Success',
    successOf: (n: number) => `of ${jobs(n)} that ended`,
    noEnded: 'no job ended in this period',
    peak: 'Best day',
    peakOf: (n: number) => `${jobs(n)} completed`,
    wip: 'In progress',
    wholeShop: 'whole shop, whatever is chosen',
    wipNow: (average: number) => `now; ${formatNumber(average)} on average`,
    cycle: 'Start to end',
    cycleOf: (n: number) => `mean of ${jobs(n)}, nights included`,
    cycleNone: 'needs jobs with start and end',
    ended: 'Jobs ended',
    endedHint: (days: number) => (days === 1 ? 'by day, UTC' : days === 7 ? 'by week' : 'by four weeks'),
    endedSummary: (completed: number, failed: number, days: number) =>
      `${jobs(completed)} completed and ${formatCount(failed)} failed in ${count(days, 'day', 'days')}.`,
    note: (span: string, completed: number, failed: number) =>
      `${span}\n${formatCount(completed)} completed, ${formatCount(failed)} failed`,
    rate: 'Success from day to day',
    rateHint: (window: number) => `Dots are days; the line pools the ${window} days up to each.`,
    rateHelp: (window: number) =>
      `Point at the chart, or use the arrow keys, to read a day. Line: ${window} days pooled.`,
    rateOf: (day: string, rate: number | null, n: number, rolling: number | null, window: number) =>
      `${day}: ${n === 0 ? 'no job ended' : `${percent(rate)} of ${jobs(n)}`}; ${window} days: ${percent(rolling)}. Enter shows the jobs.`,
    rateSummary: (rate: number | null, n: number, change: [first: number, last: number] | null) =>
      n === 0
        ? 'No job ended in this period.'
        : `${percent(rate)} of ${jobs(n)} succeeded.${change ? ` At the beginning it was ${percent(change[0])}, lately ${percent(change[1])}.` : ''}`,
    durations: 'How long jobs take',
    durationsHint:
      'completed jobs of all time, whatever is chosen above; each step to the right is a multiple',
    durationsSummary: (types: number, longest: string, seconds: number) =>
      `${count(types, 'kind', 'kinds')} of job with a duration. ${longest} takes longest, ${formatDuration(seconds)} at the median.`,
    durationNote: (min: number, median: number, mean: number, max: number, n: number) =>
      `${formatDuration(min)} to ${formatDuration(max)}\nmedian ${formatDuration(median)}, mean ${formatDuration(mean)}\n${sample(n)}`,
    status: 'Jobs by status',
    statusHint: 'all jobs there are, now, whatever is chosen above',
    statusSummary: (total: number, wip: number) =>
      `${jobs(total)}, of which ${formatCount(wip)} in progress.`,
    statusNote: (share: number) => `${formatPercent(share)} of all jobs`,
    flow: 'Flow',
    flowHint:
      'Little’s law: in progress = ends per day × time from start to end; averages over the period, of jobs that come and go, so there is no list of them',
    flowSummary: (residual: number | null) =>
      residual === null
        ? 'No job with start and end has left the shop in this period.'
        : Math.abs(residual) < 0.5
          ? 'What comes in goes out: the figures fit together.'
          : residual > 0
            ? 'More was in progress than the ends explain: the shop was filling up, or ends are missing.'
            : 'Less was in progress than the ends explain: the shop was emptying, or starts are missing.',
    flowRows: {
      average_wip: 'In progress, on average',
      exits: 'Ended a day',
      cycle: 'Start to end, mean',
      expected: 'In progress, as these would have it',
      residual: 'Difference',
      untimed: 'Ended without start or end',
    },
    emptyTitle: 'No job ended in this period',
    emptyHint:
      'Figures are made of jobs that were completed or failed. Choose a longer period, or report a job’s end.',
    emptyFiltered:
      'No job of this choice ended in this period. Choose a longer period, or take the filter off.',
    noDurationsTitle: 'No durations yet',
    noDurationsHint: 'Start and complete a job in RMOS, and its duration is known by itself.',
    noJobsTitle: 'No jobs yet',
    noJobsHint: 'Create one under Jobs, or run “make demo” to watch a small shop at work.',
  },
  quality: {
    lead: 'What fails, what is scrapped, and what is out of the ordinary.',
    failures: 'Why jobs fail',
    failuresHint: 'The line adds up the shares, the largest causes first.',
    failuresSummary: (total: number, first: string, share: number) =>
      `${jobs(total)} failed. ${first} alone makes ${formatPercent(share)} of them.`,
    failureNote: (failed: number, rate: number | null) =>
      `${jobs(failed)} failed${rate === null ? '' : `, ${formatPercent(rate)} of those that ended`}`,
    noFailuresTitle: 'Nothing failed in this period',
    noFailuresHint: 'When a job fails, say why: reasons are what this chart is made of.',
    noMaterialsHint: 'Failed jobs appear here when they name a material, machine, pattern or kind.',
    tiles: 'Pieces in figures',
    firstPass: 'First-pass yield',
    scrapRatio: 'Scrap',
    reworkRatio: 'Rework',
    pieces: 'Pieces made',
    ofPieces: (n: number) => `of ${count(n, 'piece', 'pieces')}`,
    noPieces: 'needs good and scrap pieces on jobs',
    goodAndScrap: (good: number, scrap: number) => `${formatCount(good)} good, ${formatCount(scrap)} scrap`,
    scrap: 'Scrap',
    scrapHint: 'pieces, the largest causes first',
    scrapSummary: (total: number, first: string, share: number) =>
      `${count(total, 'piece', 'pieces')} scrapped; ${first} alone ${formatPercent(share)}.`,
    scrapNote: (share: number, cumulative: number) =>
      `${formatPercent(share)} of all scrap, ${formatPercent(cumulative)} with those above`,
    noScrapTitle: 'No scrap reported',
    noScrapHint: 'Fill in “Scrap pieces” when a job is completed or failed, also a zero.',
    windows: 'Success, week by week',
    windowsHint: 'the past year; each week is held against all the others',
    windowsSummary: (found: number, n: number) =>
      found === 0
        ? `No week stands out, of ${jobs(n)} in the past year.`
        : `${count(found, 'week stands', 'weeks stand')} out, marked ▼ or ▲, of ${jobs(n)} in the past year.`,
    windowNote: (
      span: string,
      completed: number,
      failed: number,
      expected: number | null,
      severity: string | null,
    ) =>
      `${span}\n${formatCount(completed)} completed, ${formatCount(failed)} failed\nother weeks: ${percent(expected)}${severity ? `\nout of the ordinary (${severity})` : ''}`,
    windowsOne: 'All jobs ended in one week: there is no other to hold it against.',
    windowsTooFew: (n: number) => `${sample(n)} is too few: no week of so few jobs could be called unusual.`,
    overallRate: 'all weeks',
    unusual: 'Unusual durations',
    unusualHint: 'completed jobs of the period, each held against those of its kind and pattern',
    unusualSummary: (found: number, n: number) =>
      found === 0
        ? `None of ${jobs(n)} took unusually long or short.`
        : `${count(found, 'job', 'jobs')} of ${formatCount(n)} took unusually long or short.`,
    unusualTooFew: (n: number) =>
      `${sample(n)} is too few: at least 5 completed jobs of one kind are needed before one can be called unusual.`,
    strictness: 'Call it unusual from',
    deviations: (z: string) => `${z} deviations`,
    unusualTitle: 'Out of the ordinary',
    severity: { medium: 'Medium', high: 'High', critical: 'Critical' } as Record<string, string>,
    longer: (factor: number) => `${formatMeasured(factor)} × the usual time`,
    noUnusualTitle: 'No completed job with a duration in this period',
    noUnusualHint: 'Start and complete jobs in RMOS: their durations come by themselves.',
    showAll: (n: number) => `Show all ${formatCount(n)}`,
  },
  control: {
    lead: 'Is the process the same as before, or has something changed?',
    measure: 'Measure',
    measures: {
      duration: 'Duration',
      waste: 'Waste',
      kerf_drift: 'Kerf drift',
      success: 'Success',
      scrap: 'Scrap per piece',
    },
    kind: 'Chart',
    kinds: {
      i_mr: 'Single values (I-MR)',
      xbar_r: 'Means of 5 (X̄-R)',
      ewma: 'Small drifts (EWMA)',
      cusum: 'Summed drift (CUSUM)',
      p: 'Share of jobs (p)',
      u: 'Rate per piece (u)',
    },
    of: 'Of',
    ofs: { values: 'Measured values', residuals: 'Residuals' },
    points: 'Points',
    codes: {
      nelson_1: 'N1',
      nelson_2: 'N2',
      nelson_3: 'N3',
      nelson_4: 'N4',
      nelson_5: 'N5',
      nelson_6: 'N6',
      nelson_7: 'N7',
      nelson_8: 'N8',
      western_electric_1: 'WE1',
      western_electric_2: 'WE2',
      western_electric_3: 'WE3',
      western_electric_4: 'WE4',
      range_beyond_limits: 'R',
      ewma_beyond_limits: 'E',
      cusum_high: 'C+',
      cusum_low: 'C−',
    } as Record<string, string>,
    rules: {
      nelson_1: 'Nelson 1: beyond 3 sigma',
      nelson_2: 'Nelson 2: 9 points on one side of the centre',
      nelson_3: 'Nelson 3: 6 points rising or falling',
      nelson_4: 'Nelson 4: 14 points up and down in turn',
      nelson_5: 'Nelson 5: 2 of 3 beyond 2 sigma on one side',
      nelson_6: 'Nelson 6: 4 of 5 beyond 1 sigma on one side',
      nelson_7: 'Nelson 7: 15 points within 1 sigma',
      nelson_8: 'Nelson 8: 8 points beyond 1 sigma on both sides',
      western_electric_1: 'Western Electric 1: beyond 3 sigma',
      western_electric_2: 'Western Electric 2: 2 of 3 beyond 2 sigma',
      western_electric_3: 'Western Electric 3: 4 of 5 beyond 1 sigma',
      western_electric_4: 'Western Electric 4: 8 on one side of the centre',
      range_beyond_limits: 'Range: a jump between neighbours beyond its limit',
      ewma_beyond_limits: 'EWMA: the weighted average beyond its limit',
      cusum_high: 'CUSUM: the sum upwards beyond its limit',
      cusum_low: 'CUSUM: the sum downwards beyond its limit',
    } as Record<string, string>,
    baseline: 'Baseline',
    help: 'Point at the chart, or use the arrow keys, to read a point. Enter shows its jobs.',
    title: (measure: string) => `Control chart: ${measure}`,
    newest: (n: number) => `the newest ${count(n, 'point', 'points')}`,
    hint: (center: string, lower: string | null, upper: string | null) =>
      [
        `centre ${center}`,
        ...(lower !== null && upper !== null
          ? [`limits ${lower} to ${upper}`]
          : upper !== null
            ? [`upper limit ${upper}`]
            : []),
        'the baseline is shaded: limits come from it',
      ].join(', '),
    mixed: 'All kinds of job are on one chart, which shows their mixture: choose one kind.',
    related: (correlation: number) =>
      `Each value follows the one before (correlation ${formatMeasured(correlation)}), so this chart alarms too often.`,
    toResiduals: 'Chart residuals instead',
    residuals: (center: string, weight: number) =>
      `A residual is how far a value is from what the one before lets expect: ${center}, and ${formatMeasured(weight)} of how far that one was from it. A point stands out when something changes; what stays changed shows once, so look at each.`,
    residualsNeedless: (correlation: number) =>
      `Neighbours hardly go together here (correlation ${formatMeasured(correlation)}): the measured values tell more.`,
    inControl: (n: number) => `In control: none of ${count(n, 'point', 'points')} breaks a rule.`,
    outOfControl: (fired: number, n: number, newest: string) =>
      `${count(fired, 'point', 'points')} of ${formatCount(n)} out of control, the newest on ${newest}.`,
    onlyBaseline: (n: number) =>
      `${count(n, 'point', 'points')}, all of them baseline: nothing is judged yet.`,
    told: (moment: string, value: string, n: number, rules: string) =>
      `${moment}: ${value}${n > 1 ? ` (${jobs(n)})` : ''}${rules ? `. ${rules}` : ''}`,
    tooFewTitle: (n: number, needed: number) => `${formatCount(n)} of ${formatCount(needed)} points`,
    tooFewHint: (needed: number, what: string, isOfAllTime: boolean) =>
      `Limits are taken from ${formatCount(needed)} points. ${what} Take a filter off, or ${isOfAllTime ? 'wait for more jobs' : 'choose a longer period'}.`,
    needs: {
      duration: 'Each point is a completed job with a duration.',
      waste: 'Each point is a completed job that reports results.waste_percentage.',
      kerf_drift:
        'Each point is a completed job that tells its kerf as planned and as cut (kerf_mm, actual_kerf_mm).',
      success: 'Each point is 20 jobs that ended.',
      scrap: 'Each point is 20 ended jobs that tell their scrap pieces.',
    },
    oneValue: 'The baseline has one value only, so there is no spread to judge by.',
    violations: 'Points out of control',
    violationsHint: 'newest first; each opens the jobs behind it',
    noViolations: 'None.',
    freeze: 'Keep these limits',
    freezeHint: 'From then on every point is judged by them. The address holds them: bookmark it.',
    unfreeze: 'Limits from the baseline again',
    frozen: (center: string) => `Limits are kept, with centre ${center}.`,
    behind: (moment: string) => `The jobs behind ${moment}`,
  },
}
