"""Commands of what a sweep leaves: models that are taken away, scored and used."""

import argparse
from dataclasses import fields
from pathlib import Path

from raysweep.cli.command import SAME, Command, device_word, experiment_word, model_word


def _export_words(parser: argparse.ArgumentParser) -> None:
    experiment_word(parser)
    parser.add_argument(
        "--trial",
        default="best",
        help="a trial's id; best (default), the first that `raysweep status` lists: of several objectives the "
        "one on the Pareto front with the best first of them, and once finalists are confirmed, of the winner's "
        "seeds the one that validates best; or pareto, each on the front, under its id",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="what to write (default: EXPERIMENT/best, or best.ckpt; of pareto the folder EXPERIMENT/pareto)",
    )
    parser.add_argument(
        "--format",
        choices=("safetensors", "onnx", "pt2", "taming", "vqvae2"),
        default="safetensors",
        help="a folder (default); with onnx or pt2 (torch.export) the encoder and the decoder in it also as graphs; "
        "or one file for taming-transformers or vvvm23's vqvae-2",
    )
    parser.add_argument(
        "--no-evaluate",
        action="store_true",
        help="do not measure the folder again on the trial's validation set",
    )
    device_word(parser)


def _export(arguments: argparse.Namespace) -> None:
    from raysweep.commands.device import device_of
    from raysweep.commands.export import Manner, export_front, export_trial
    from raysweep.experiment.mirror import opened

    device = device_of(arguments.device)
    manner = Manner(arguments.format, device, evaluates=not arguments.no_evaluate)
    experiment = opened(arguments.experiment)
    if arguments.trial == "pareto":
        export_front(experiment, arguments.out, manner)
    else:
        export_trial(experiment, arguments.trial, arguments.out, manner)


def _evaluate_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="an exported folder, or an experiment")
    parser.add_argument("--trial", help="of an experiment: which one (default: best)")
    parser.add_argument(
        "--data",
        metavar="FOOTAGE",
        help="videos, images, a list of files, a pattern, an address, or a prepared store (default, of an "
        "experiment: the frames that its trials are validated on)",
    )
    parser.add_argument(
        "--split",
        choices=("train", "valid", "test", "all"),
        help="which frames of a prepared store (default: valid)",
    )
    parser.add_argument(
        "--native",
        action="store_true",
        help="whole frames in their own size, every one of them (default: resized and cropped as in training)",
    )
    parser.add_argument(
        "--against", metavar="MODEL", help="another one, on the same frames, with the difference"
    )
    parser.add_argument("--against-trial", metavar="TRIAL", help="as --trial, of --against")
    parser.add_argument(
        "--lpips",
        choices=("vgg", "alex", "squeeze", "none"),
        help="network of LPIPS (default: that of the model's training)",
    )
    parser.add_argument(
        "--rfid",
        metavar="WEIGHTS",
        help="off, pretrained, or a file: Inception for rFID (default: as in the model's training)",
    )
    device_word(parser)
    parser.add_argument("--csv", type=Path, metavar="FILE", help="a line for each source")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures")
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="the best and the worst frames, as a .png"
    )


def _evaluate(arguments: argparse.Namespace) -> None:
    from raysweep.commands.evaluate import Asked, evaluate

    asked = {field.name: getattr(arguments, field.name) for field in fields(Asked)}
    evaluate(Asked(**asked))


def _tokenize_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="an exported model")
    parser.add_argument(
        "--data",
        nargs="+",
        required=True,
        metavar="FOOTAGE",
        help="folders, files, patterns, lists or addresses of it",
    )
    parser.add_argument(
        "--out",
        required=True,
        help="folder or address (s3://...) to write to; what is there is kept",
    )
    parser.add_argument(
        "--gpus",
        type=float,
        metavar="N",
        help="that each worker takes, such as 1 or 0.5 (default: 0.25 where the cluster has any, else 0)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="data.NAME=VALUE",
        help="how frames are made, over what the model was trained with, such as data.fps=8",
    )


def _tokenize(arguments: argparse.Namespace) -> None:
    from raysweep.commands.tokenize import tokenize

    tokenize(arguments.model, arguments.data, arguments.out, arguments.gpus, arguments.set)


def _encode_words(parser: argparse.ArgumentParser) -> None:
    model_word(parser)
    parser.add_argument("video", type=Path, help="of any size and length; its sound is left out")
    parser.add_argument("out", type=Path, help="the file of tokens to write, such as out.rsv")
    device_word(parser)
    parser.add_argument(
        "--no-compare",
        action="store_true",
        help="do not measure PSNR beside that of H.264 at the same size, which is done where this machine has an "
        "ffmpeg with x264, and takes decoding all",
    )


def _encode(arguments: argparse.Namespace) -> None:
    from raysweep.commands.tokens import encode

    compared = not arguments.no_compare
    encode(arguments.model, arguments.video, arguments.out, arguments.device, compared=compared)


def _decode_words(parser: argparse.ArgumentParser) -> None:
    model_word(parser)
    parser.add_argument(
        "tokens", type=Path, help="what `raysweep encode` wrote with the same model"
    )
    parser.add_argument(
        "out",
        type=Path,
        help="the video to write: .mp4 (MPEG-4 part 2), .mkv (FFV1, which keeps every pixel), or a name without a "
        "suffix for a folder of .png pictures",
    )
    device_word(parser)


def _decode(arguments: argparse.Namespace) -> None:
    from raysweep.commands.tokens import decode

    decode(arguments.model, arguments.tokens, arguments.out, arguments.device)


COMMANDS = {
    "export": Command(
        "write a trial's best model as a folder for raysweep.load", _export_words, _export
    ),
    "evaluate": Command(
        "score a model, or two side by side, on any footage", _evaluate_words, _evaluate
    ),
    "tokenize": Command(
        "turn footage into codes, as Parquet files to train on", _tokenize_words, _tokenize, SAME
    ),
    "encode": Command("a video into a file of a model's tokens", _encode_words, _encode),
    "decode": Command("a file of tokens back into a video", _decode_words, _decode),
}
