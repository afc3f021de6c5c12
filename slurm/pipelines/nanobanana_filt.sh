# The paper's filtered Nanobanana-Pro set, from a public corpus to the report. Keys: GOOGLE_API_KEY (curation, images, judge).
#
#   Command   slurm/pipeline.sh slurm/pipelines/nanobanana_filt.sh
#   Costs     188 USD of images and about 50 USD of model calls at most; about 260 GPU-hours of 2x8 (see
#             conf/experiment/nanobanana_filt.yaml)
#   Expect    the report of outputs/studies, with the published values beside
#   Not run here: no GPUs, no weights, no keys.
SHARDS=16
CURATE=(problems=webinstruct_verified model=gemini3_flash budget.usd=35 paths.sets=outputs/sets)
GENERATE=(generator=nanobanana_pro problems=curated budget.usd=200 paths.sets=outputs/sets)
EVALUATE=(generator=nanobanana_pro "evaluators=[judge,inverse,inverse_blind]" budget.usd=30 paths.sets=outputs/sets)
TRAIN=(nanobanana_filt)
TRAIN_SBATCH=(--nodes=2)
ANALYZE=(study=paper)
