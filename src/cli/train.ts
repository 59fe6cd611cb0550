import { Command, Option } from 'commander';
import { ACTIVATIONS, LOSSES } from '../backend/interface.ts';
import { DTYPES } from '../core/tensor.ts';
import { XI_NAMES } from '../core/xi.gen.ts';
import { INITIALIZATIONS, MODEL_KINDS } from '../models/config.ts';
import { DEFAULT_PLAN, OPTIMIZERS } from '../train/options.ts';
import { SCHEDULES } from '../train/schedule.ts';
import { withDataOptions } from './data.ts';
import { number, numbers, withBackendOptions } from './options.ts';
import { type Flags, train } from './train_run.ts';

const NOTES = `
With --validation early stopping never sees the test part, which is scored once, at the end.
SIGTERM and SIGHUP stop a training as Ctrl-C does, with a checkpoint, but end it with status 143 or 129 instead of 0.
A model that is there is replaced when training ends; a line says so before it begins.
With --resume only --out, --backend, --isa, --threads and --json may be given: the checkpoint,
<out>.checkpoint.safetensors, has all that decides the result. Data that have moved are the exception: --data says
where they are now, and they are compared with those of before.

Examples:
  xitensor train --xi logsumexp --rank 32 --epochs 5 -o m.safetensors
  xitensor train --data splice --rank 16 --validation 0.1 --patience 10 --optimizer adamw
  xitensor train --data spam --features 50 --activation identity --rank 50 --shared
  xitensor train --resume -o m.safetensors
  xitensor train --resume --data elsewhere/table.csv -o m.safetensors`;

const choice = (flag: string, text: string, values: readonly string[], standard?: string) => {
  const option = new Option(`${flag} <name>`, text).choices(values);
  return standard === undefined ? option : option.default(standard);
};

export function trainCommand(): Command {
  const command = new Command('train')
    .description(
      'trains a model on a data set, with progress and checkpoints; Ctrl-C stops it so that --resume goes on',
    )
    .option('-o, --out <file>', 'where the trained model goes', 'model.safetensors')
    .option('--resume', 'go on from the checkpoint beside the model, with the options it was begun with')
    .option(
      '--force',
      'start anew although there is a checkpoint, which the new one replaces before the first step',
    );
  const texts = {
    limit: 'train on the first n examples only',
    patch: 'of images: side of the patches that they are cut into (default: 7, or 8 of CIFAR-10)',
  };
  return withBackendOptions(withDataOptions(withPlanOptions(withModelOptions(command)), texts, 'mnist'))
    .option('--json', 'print one record at the end, and no progress')
    .addHelpText('after', NOTES)
    .action((flags: Flags) => train(flags, command));
}

function withModelOptions(command: Command): Command {
  return command
    .addOption(choice('--kind', 'family of networks', MODEL_KINDS, 'tt'))
    .addOption(choice('--xi', 'operator ξ', XI_NAMES, 'rectifier'))
    .option('--rank <R>', 'one rank for all, or a list with commas', numbers, 64)
    .option('--projection <L>', 'of tt: rows of the projections (default: the feature size)', number)
    .option('--features <M>', 'feature size', number, 32)
    .addOption(choice('--activation', 'activation σ of the features', ACTIVATIONS, 'relu'))
    .option('--shared', 'the same weights for all steps, but the first and last of tt')
    .option('--diagonal', 'of ht: nodes with diagonal cores')
    .addOption(choice('--init', 'initial weights', INITIALIZATIONS, 'identity'))
    .addOption(choice('--dtype', 'floating-point type', DTYPES, 'float32'));
}

function withPlanOptions(command: Command): Command {
  const schedules =
    'of the learning rate; all but constant rise as a square over the first quarter of the steps, then fall';
  return command
    .option('--epochs <n>', 'passes over the data', number, DEFAULT_PLAN.epochs)
    .option('--batch <n>', 'examples a step', number, DEFAULT_PLAN.batch)
    .addOption(choice('--loss', 'what is minimized (default: softmax, of real targets mse)', LOSSES))
    .addOption(choice('--optimizer', 'adamw takes weights off too', OPTIMIZERS, DEFAULT_PLAN.optimizer))
    .option('--learning-rate <rate>', 'of the optimizer', number, DEFAULT_PLAN.learningRate)
    .option('--no-scale-rates', 'one learning rate for all parameters, without factors for cores')
    .option('--decay <d>', 'of weights, times the learning rate, by adamw (default: 0.01)', number)
    .addOption(choice('--schedule', schedules, SCHEDULES, DEFAULT_PLAN.schedule))
    .option('--clip <norm>', 'largest norm of the gradient; Infinity for no limit', number, DEFAULT_PLAN.clip)
    .option('--beta1 <b>', "decay of Adam's first moment", number, DEFAULT_PLAN.beta1)
    .option('--beta2 <b>', "decay of Adam's second moment", number, DEFAULT_PLAN.beta2)
    .option('--epsilon <e>', "of Adam's denominator", number, DEFAULT_PLAN.epsilon)
    .option('--validation <part>', 'part of the training examples that is held back', number, 0)
    .option('--patience <n>', 'stop n epochs after the best on it, with the parameters of that', number, 0)
    .option('--seed <n>', 'of weights, of the order of examples and of those held back', number, 0);
}
