// A worker of `xitensor ranks`: each message is a network to evaluate, the answer is its record.
import { parentPort, workerData } from 'node:worker_threads';
import type { RankStudy } from '../experiments/rank_config.ts';
import { type RankTask, studyNetwork } from '../experiments/ranks.ts';
import { type BackendChoice, openChosen } from './options.ts';

const { study, choice } = workerData as { readonly study: RankStudy; readonly choice: BackendChoice };
const backend = openChosen(choice);
parentPort!.on('message', (task: RankTask) => {
  parentPort!.postMessage(studyNetwork(backend, study, task));
});
