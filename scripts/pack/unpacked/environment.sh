# For the programs of this folder: `python` is a Python with torch, PYTHONPATH has what it lacks besides, PATH Node.
# Expects `here`, this folder's parent. IBATCH_PYTHON, or --python among the arguments, names the Python or its folder.
python=${IBATCH_PYTHON:-python3}
before=
for argument in "$@"; do
  case $before in --python) python=$argument ;; esac
  case $argument in --python=*) python=${argument#--python=} ;; esac
  before=$argument
done
if [ -d "$python" ]; then python=$python/bin/python; fi
found=$(command -v "$python") || {
  echo "ibatch: there is no Python at $python. Expected: one that has torch. Name it with IBATCH_PYTHON or --python." >&2
  exit 4
}
lacking=$("$found" "$here/packed/wheels.py") || exit 4
PYTHONPATH=${PYTHONPATH:+$PYTHONPATH${lacking:+:}}$lacking
IBATCH_PYTHON=$found
PATH=$here/bin:$PATH
# Where the archive was made with a folder of this name.
if [ -z "${IBATCH_DATA:-}" ] && [ -d "$here/data" ]; then export IBATCH_DATA="$here/data"; fi
export PYTHONPATH IBATCH_PYTHON PATH
