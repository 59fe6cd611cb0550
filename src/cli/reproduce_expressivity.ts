import { XiError } from '../core/errors.ts';
import { compareBackends } from '../experiments/backend_comparison.ts';
import { checkCertificate } from '../experiments/certificate.ts';
import { certify } from '../experiments/certify.ts';
import { FIGURES, type RankStudy, studyOf } from '../experiments/rank_config.ts';
import { distributionsCsv } from '../experiments/ranks.ts';
import * as FORMS from '../experiments/result_forms.ts';
import type {
  CertificateRecord,
  ComparisonRecord,
  Measured,
  ResultSettings,
  StudyRecord,
  VerifyRecord,
} from '../experiments/results.ts';
import { relative, spectrumOf } from '../experiments/spectra.ts';
import { CHECKS, type Verification, verify } from '../experiments/verify.ts';
import { loadModel } from '../models/disk.ts';
import { countView, workView } from './progress.ts';
import { runStudy } from './rank_study.ts';
import { showcase } from './reproduce_performance.ts';
import type { Session } from './reproduce_session.ts';
import type { ResultsFolder } from './results_folder.ts';
import { loadTemplates } from './templates.ts';

type Figure = keyof typeof FIGURES;
const FIGURE_NAMES = Object.keys(FIGURES) as Figure[];
/** Networks a rank: of Figure 3, whose matrices have 1000 rows, and of the others, with 216. */
const NETWORKS = {
  quick: { '3': 60, '4': 100, '5': 100 },
  full: { '3': 1000, '4': 1000, '5': 1000 },
} as const;
const SAMPLES = { quick: 256, full: 2048 } as const;

const size = ({ quick }: ResultSettings) => (quick ? 'quick' : 'full');
const studyFile = (figure: Figure) => `expressivity/figure${figure}.json`;
const VERIFY = 'expressivity/verify.json';
const CERTIFICATE = 'expressivity/certificate.json';
const COMPARISON = 'expressivity/backends.json';

/** Figures 3 to 5, the theorems, the certificate of the trained network and the backends, as far as they are not there yet. */
export async function expressivity(session: Session): Promise<void> {
  for (const figure of FIGURE_NAMES) await study(session, figure);
  await verification(session);
  await certificate(session);
  await comparison(session);
}

function figureStudy(settings: ResultSettings, figure: Figure): RankStudy {
  return studyOf('reproduce', {
    ...FIGURES[figure],
    networks: settings.networks ?? NETWORKS[size(settings)][figure],
    seed: settings.seed,
  });
}

async function study(session: Session, figure: Figure): Promise<void> {
  const { folder, choice, workers, signal, backend, quiet } = session;
  const wanted = figureStudy(folder.settings, figure);
  if (await folder.get<StudyRecord>(studyFile(figure), FORMS.STUDY, { figure, study: wanted })) return;
  const measure = stopwatch(session);
  let view: ReturnType<typeof countView> | undefined;
  const onProgress = (done: number, total: number) => {
    view ??= countView(`networks of Figure ${figure}`, total, done, quiet);
    view.update(done);
  };
  const path = folder.file(`expressivity/figure${figure}.jsonl`);
  const tally = await runStudy(wanted, { choice, workers, signal, path, onProgress }).finally(() =>
    view?.stop(),
  );
  const { done, total } = tally;
  if (done < total) throw new XiError('E_ABORTED', 'stopped');
  const spectra = wanted.ranks.map((R) => spectrumOf(backend, wanted, R, tally.medianNetwork(R)));
  const distributions = tally.distributions(figure);
  const record: StudyRecord = { figure, study: wanted, distributions, spectra, ...measure() };
  await folder.write(`expressivity/figure${figure}.csv`, distributionsCsv(distributions));
  await folder.put(studyFile(figure), record);
  say(session, `Figure ${figure}: ${total} networks, ${record.seconds.toFixed(1)} s`);
}

async function verification(session: Session): Promise<void> {
  const { folder, backend, signal } = session;
  const { seed } = folder.settings;
  if (await folder.get<VerifyRecord>(VERIFY, FORMS.VERIFICATION, { seed })) return;
  const measure = stopwatch(session);
  const checks: Verification[] = [];
  const view = workView(CHECKS.length, session.quiet);
  try {
    for await (const check of verify({ seed, backend, signal })) {
      checks.push(check);
      view.update(checks.length, check.id);
    }
  } finally {
    view.stop();
  }
  await folder.put(VERIFY, { seed, checks, ...measure() } satisfies VerifyRecord);
  const failed = checks.filter(({ pass }) => !pass).map(({ id }) => id);
  say(
    session,
    `theorems: ${checks.length - failed.length} of ${checks.length} hold${failed.length > 0 ? `, not ${failed.join(', ')}` : ''}`,
  );
}

async function certificate(session: Session): Promise<void> {
  const { folder, backend, signal } = session;
  const { settings } = folder;
  const trained = await showcase(session);
  if (!trained) return;
  const { run } = trained.record;
  // Templates are patches or letters; of texts there are none.
  if (run.dataset !== 'mnist' && run.dataset !== 'splice') return;
  const samples = SAMPLES[size(settings)];
  const { seed } = settings;
  if (await folder.get<CertificateRecord>(CERTIFICATE, FORMS.CERTIFICATE, { run, samples, seed })) return;
  say(session, 'certifying the trained network …');
  const measure = stopwatch(session);
  const model = await loadModel(trained.path, { backend });
  const templates = await loadTemplates(run.dataset, { seed }, model.config);
  const options = { exact: true, samples, seed, signal };
  const { certificate: proof, spectrum, equalWidth } = await certify(model, templates, options);
  await checkCertificate(model, templates, proof);
  const { rank, prime, rows, columns, bound, model: modelDigest, templates: templatesDigest } = proof!;
  if (spectrum === null)
    throw new XiError(
      'E_NUMERIC',
      'reproduce: expected scores of the trained network within the range of float64',
    );
  const { tolerance, entropy, effectiveRank } = spectrum;
  const values = relative(spectrum.singularValues);
  const record: CertificateRecord = {
    ...{
      run,
      samples,
      seed,
      templates: templates.shape[0],
      rank,
      prime,
      rows,
      columns,
      bound,
      equalWidth,
      modelDigest,
      templatesDigest,
    },
    spectrum: { rank: spectrum.rank, tolerance, values, entropy, effectiveRank },
    ...measure(),
  };
  await folder.put('expressivity/certificate.proof.json', proof);
  await folder.put(CERTIFICATE, record);
  say(session, `certificate: shallow width ≥ ${bound.joint ?? 'any'}, ${record.seconds.toFixed(1)} s`);
}

async function comparison({ folder, machine }: Session): Promise<void> {
  if (await folder.get<ComparisonRecord>(COMPARISON, FORMS.COMPARISON, {})) return;
  await folder.put(COMPARISON, {
    ...compareBackends(folder.settings.seed),
    machine,
  } satisfies ComparisonRecord);
}

/** What of all this is there. */
export async function expressivityRecords(folder: ResultsFolder) {
  const { settings } = folder;
  const studies = await Promise.all(
    FIGURE_NAMES.map((figure) =>
      folder.get<StudyRecord>(studyFile(figure), FORMS.STUDY, {
        figure,
        study: figureStudy(settings, figure),
      }),
    ),
  );
  return {
    studies: studies.filter((record) => record !== undefined),
    verification: await folder.get<VerifyRecord>(VERIFY, FORMS.VERIFICATION, { seed: settings.seed }),
    certificate: await folder.get<CertificateRecord>(CERTIFICATE, FORMS.CERTIFICATE, { seed: settings.seed }),
    comparison: await folder.get<ComparisonRecord>(COMPARISON, FORMS.COMPARISON, {}),
  };
}

function stopwatch({ backend, machine }: Session): () => Measured {
  const started = performance.now();
  const { name, isa } = backend;
  return () => ({
    seconds: Math.round((performance.now() - started) / 10) / 100,
    backend: name,
    isa,
    machine,
  });
}

function say({ quiet }: Session, text: string): void {
  if (!quiet) process.stdout.write(`${text}\n`);
}
