"""One question per file. `space(trial)` suggests settings under their dotted paths and returns further ones.

Optional beside it: `BASE`, settings of every trial (weaker than the config file), and `SWEEP`, settings
of the search itself. `raysweep sweep NAME` takes a file of this folder, `raysweep sweep my/space.py` yours;
`my/space.yaml` needs no Python (`raysweep/search/space_file.py` shows one).
"""
