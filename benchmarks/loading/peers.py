"""The usual readers: a torch DataLoader over clips, each found in its video or in an array of frames.

Each is used as its documentation advises, and keeps open what may be kept open. THWC, RGB uint8.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from loading.material import CONFIG, Material, clips_in_order
from raysweep.data.decoding.fit import fit_square
from raysweep.data.index.clips import Clip

SIDE, LENGTH = CONFIG.resolution, CONFIG.clip_length


class Clips(Dataset[Tensor], ABC):
    """Item n is the nth clip of our first epoch, round and round."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.clips = clips_in_order(material)

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, item: int) -> Tensor:
        return self.read(self.clips[item % len(self.clips)])

    @abstractmethod
    def read(self, clip: Clip) -> Tensor:
        """THWC."""


def loaded(kind: type[Clips], workers: int, material: Material) -> Iterator[Tensor]:
    """BTHWC. Prefetching two batches a worker is torch's default, and what the earlier loader sets."""
    return iter(DataLoader(kind(material), batch_size=CONFIG.batch_size, num_workers=workers))


class Seeking(Clips):
    """As the earlier system's VideoDataset: open, seek, read the clip's frames, shrink each at once."""

    def read(self, clip: Clip) -> Tensor:
        video = cv2.VideoCapture(str(self.material.footage / clip.source))
        video.set(cv2.CAP_PROP_POS_FRAMES, clip.first_frame)
        fitted = [fit_square(video.read()[1], CONFIG) for _ in range(LENGTH)]
        video.release()
        return torch.from_numpy(np.stack([cv2.cvtColor(f, cv2.COLOR_BGR2RGB) for f in fitted]))


class Torchcodec(Clips):
    """One decoder a video, resizing as it decodes; one thread each, since the workers fill the cores."""

    @cached_property
    def decoders(self):
        from torchcodec.decoders import VideoDecoder
        from torchcodec.transforms import CenterCrop, Resize

        return {
            record.name: VideoDecoder(
                self.material.footage / record.name,
                dimension_order="NHWC",
                seek_mode="approximate",  # the frame rate is constant: the same frames, sooner
                transforms=[Resize(_shrunk(record.height, record.width)), CenterCrop((SIDE, SIDE))],
            )
            for record in self.material.manifest.good
        }

    def read(self, clip: Clip) -> Tensor:
        decoder, first = self.decoders[clip.source], clip.first_frame
        return decoder.get_frames_in_range(first, first + LENGTH).data


class PyAV(Clips):
    """One container a video: seek to the keyframe before the clip, then decode up to its end."""

    @cached_property
    def containers(self):
        import av

        names = [record.name for record in self.material.manifest.good]
        containers = {name: av.open(str(self.material.footage / name)) for name in names}
        for container in containers.values():
            container.streams.video[0].codec_context.thread_count = 1
        return containers

    def read(self, clip: Clip) -> Tensor:
        container = self.containers[clip.source]
        stream = container.streams.video[0]
        ticks = 1 / (stream.average_rate * stream.time_base)
        first = stream.start_time + round(clip.first_frame * ticks)
        container.seek(first, stream=stream)
        frames = (frame for frame in container.decode(stream) if frame.pts >= first)
        return torch.from_numpy(np.stack([_cropped(next(frames)) for _ in range(LENGTH)]))


class MemoryMap(Clips):
    """Slices of a memory-mapped array, which nothing copies before the batch is put together."""

    @cached_property
    def frames_THWC(self) -> Tensor:
        return torch.from_numpy(np.load(self.material.array, mmap_mode="c"))

    @cached_property
    def rows(self) -> dict[str, int]:
        """Source -> its first frame's row."""
        good = self.material.manifest.good
        ends = np.cumsum([record.frames for record in good]).tolist()
        return {record.name: end - record.frames for record, end in zip(good, ends, strict=True)}

    def read(self, clip: Clip) -> Tensor:
        row = self.rows[clip.source] + clip.first_frame
        return self.frames_THWC[row : row + LENGTH]


def _shrunk(height: int, width: int) -> tuple[int, int]:
    """Height and width once the shorter is SIDE."""
    by = SIDE / min(height, width)
    return round(height * by), round(width * by)


def _cropped(frame) -> np.ndarray:
    height, width = _shrunk(frame.height, frame.width)
    small_HWC = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")
    top, left = (height - SIDE) // 2, (width - SIDE) // 2
    return small_HWC[top : top + SIDE, left : left + SIDE]
