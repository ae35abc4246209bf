"""What the table of migration says exists here does exist, and nothing of torchbearer or Lightning is forgotten."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

from unbraid import fit

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "migration.md").read_text("utf-8")
ROWS = [row.strip("|").split("|") for row in PAGE.splitlines() if row.startswith("|") and "---" not in row]
LEFT = {
    section.partition("\n")[0]: set(re.findall(r"\w+", " ".join(re.findall(r"^\|([^|]*)\|", section, re.MULTILINE))))
    for section in PAGE.split("\n## ")[1:]
}
"""The words of the left column, by the title of its table."""
NAMES = sorted(set(re.findall(r"`((?:unbraid\.)?fit\.[\w.]+)`", PAGE)))
SHORT = sorted(set(re.findall(r'`"(\w+)"`', PAGE)))
EXAMPLES = sorted(set(re.findall(r"`(examples/\w+\.py)`", PAGE)))
OPTIONS = sorted(
    {
        (name, of)
        for names, targets in re.findall(r"((?:`\w+=`(?:, | or )?)+) of ((?:`fit\.[\w.]+`(?:, )?)+)", PAGE)
        for name in re.findall(r"\w+(?==)", names)
        for of in re.findall(r"fit\.([\w.]+)", targets)
    }
)

INVENTORY = {
    "the trial": """
        Trial run evaluate predict replay state_dict load_state_dict train eval to cuda cpu with_train_generator
        with_val_generator with_test_generator with_generators with_train_data with_val_data with_test_data
        with_data for_train_steps for_val_steps for_test_steps for_steps for_inf_train_steps for_inf_val_steps
        for_inf_test_steps for_inf_steps with_inf_train_loader with_loader with_closure verbose deep_to
        load_batch_standard load_batch_none load_batch_predict load_batch_infinite inject_printer inject_sampler
        inject_callback get_printer update_device_and_dtype base_closure standard_closure apex_closure no_grad
        enable_grad cite get_metric MockModel MockOptimizer train_valid_splitter get_train_valid_sets
        DatasetValidationSplitter SubsetDataset
    """,
    "the hooks": """
        on_init on_start on_start_epoch on_start_training on_sample on_forward on_criterion on_backward
        on_step_training on_end_training on_start_validation on_sample_validation on_forward_validation
        on_criterion_validation on_step_validation on_end_validation on_end_epoch on_checkpoint on_end
        add_to_loss once once_per_epoch only_if bind_to LambdaCallback count_args
    """,
    "the callbacks": """
        ModelCheckpoint MostRecent Best Interval ConsolePrinter Tqdm CSVLogger TensorBoard TensorBoardText
        TensorBoardImages TensorBoardProjector AbstractTensorBoard VisdomParams LiveLossPlot PyCM EarlyStopping
        TerminateOnNaN TorchScheduler LambdaLR StepLR MultiStepLR ExponentialLR CosineAnnealingLR
        ReduceLROnPlateau CyclicLR GradientNormClipping GradientClipping WeightDecay L1WeightDecay L2WeightDecay
        Cutout RandomErase CutMix BatchCutout Mixup mixup_loss ManifoldMixup SamplePairing default_policy BCPlus
        bc_loss LabelSmoothingRegularisation WeightInit KaimingNormal KaimingUniform XavierNormal XavierUniform
        ZeroBias LsuvInit LSUV ImagingCallback FromState CachingImagingCallback MakeGrid ClassAppearanceModel
        AggregatePredictions UnpackState CallbackList CallbackListInjection
    """,
    "the metrics": """
        acc accuracy DefaultAccuracy binary_acc binary_accuracy BinaryAccuracy cat_acc cat_accuracy
        CategoricalAccuracy top_5_acc top_5_accuracy top_10_acc top_10_accuracy TopKCategoricalAccuracy mse
        MeanSquaredError loss Loss epoch Epoch lr LR roc_auc roc_auc_score RocAucScore TimerMetric MixupAcc
        StateKey RunningMean Mean Var Std ToDict BatchLambda EpochLambda default_for_key lambda_metric to_dict
        mean std var running_mean add_default get_default Metric AdvancedMetric MetricList MetricTree
    """,
    "the state": """
        VERSION MODEL CRITERION OPTIMIZER DEVICE DATA_TYPE METRIC_LIST METRICS SELF EPOCH MAX_EPOCHS DATA
        GENERATOR ITERATOR STEPS TRAIN_GENERATOR TRAIN_STEPS TRAIN_DATA INF_TRAIN_LOADING VALIDATION_GENERATOR
        VALIDATION_STEPS VALIDATION_DATA TEST_GENERATOR TEST_STEPS TEST_DATA STOP_TRAINING Y_TRUE TARGET Y_PRED
        PREDICTION X INPUT SAMPLER LOADER LOSS FINAL_PREDICTIONS BATCH TIMINGS CALLBACK_LIST HISTORY
        BACKWARD_ARGS MIXUP_LAMBDA MIXUP_PERMUTATION State state_key
    """,
    "its examples": """
        Quickstart Callbacks Imaging Serialization History Custom parallel LiveLossPlot PyCM Apex autoencoder
        adversarial Adversarial Transfer Regularisers Manifold appearance Optimising vector Breaking
    """,
    "the arguments of Trainer": """
        accelerator strategy devices num_nodes precision logger callbacks fast_dev_run max_epochs min_epochs
        max_steps min_steps max_time limit_train_batches limit_val_batches limit_test_batches
        limit_predict_batches overfit_batches val_check_interval check_val_every_n_epoch num_sanity_val_steps
        log_every_n_steps enable_checkpointing enable_progress_bar enable_model_summary accumulate_grad_batches
        gradient_clip_val gradient_clip_algorithm deterministic benchmark inference_mode use_distributed_sampler
        profiler detect_anomaly barebones plugins sync_batchnorm reload_dataloaders_every_n_epochs
        default_root_dir model_registry enable_autolog_hparams
    """,
}


def found(name: str) -> object:
    """What a name of the table stands for."""
    where: object = fit
    path = name.removeprefix("unbraid.").removeprefix("fit.")
    if path.startswith("state."):
        where, path = importlib.import_module("unbraid.fit.state"), path.removeprefix("state.")
    for part in path.split("."):
        where = getattr(where, part)
    return where


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_the_table_gives_exists(name: str) -> None:
    assert found(name) is not None


@pytest.mark.parametrize(("option", "of"), OPTIONS)
def test_an_argument_that_the_table_gives_exists(option: str, of: str) -> None:
    target = found(of)
    assert callable(target)
    assert option in inspect.signature(target).parameters


@pytest.mark.parametrize("name", SHORT)
def test_a_short_hand_that_the_table_gives_is_a_metric(name: str) -> None:
    assert isinstance(fit.as_metric(name), fit.Metric)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_that_the_table_gives_exists(name: str) -> None:
    assert (ROOT / name).exists()


def test_every_row_says_where_it_went() -> None:
    assert len(NAMES) > 80
    assert len(OPTIONS) > 10
    for row in ROWS:
        assert len(row) == 2, row
        assert all(cell.strip() for cell in row), row


@pytest.mark.parametrize("part", INVENTORY)
def test_nothing_is_forgotten(part: str) -> None:
    (whose,) = {title.partition(":")[0] for title in LEFT if title.endswith(part)}
    known = {word for title, words in LEFT.items() if title.startswith(whose) for word in words}
    assert not set(INVENTORY[part].split()) - known


def test_every_callback_and_metric_of_here_is_in_the_table() -> None:
    shown = {name.split(".")[1] for name in NAMES if name.startswith("fit.")}
    callbacks = {
        n for n in fit.__all__ if isinstance(getattr(fit, n), type) and issubclass(getattr(fit, n), fit.Callback)
    }
    # GradNorm is a metric that listens.
    assert callbacks - {"Callback", "GradNorm"} <= shown
