from __future__ import annotations

import numpy as np

from service.agreement import Agreement, compare
from service.bundle import Answers


def _numbers(*values: float) -> Answers:
    return Answers(np.array(values))


def test_equal_answers_agree_wholly() -> None:
    answers = Answers(np.array(["a", "b"], object), np.array([[0.2, 0.8], [1.0, 0.0]]), np.array([1.0, -2.0]))
    assert compare(answers, answers) == Agreement()


def test_one_other_label_is_counted() -> None:
    agreement = compare(Answers(np.array([1, 2, 3, 4])), Answers(np.array([1, 2, 3, 5])))
    assert agreement.label_agreement == 0.75
    assert not agreement.holds


def test_labels_of_another_type_do_not_agree() -> None:
    assert compare(Answers(np.array([True, False])), Answers(np.array([1, 0]))).label_agreement == 0.0


def test_whole_numbers_with_and_without_a_sign_agree() -> None:
    assert compare(Answers(np.array([1, 2], np.uint8)), Answers(np.array([1, 2]))).holds
    assert not compare(Answers(np.array([1, 0], np.uint8)), Answers(np.array([True, False]))).holds


def test_a_number_is_measured_by_its_own_size() -> None:
    assert compare(_numbers(1e9, 1e9), _numbers(1e9 + 1, 1e9)).max_scaled_diff == 1e-9


def test_a_number_near_zero_is_measured_by_the_size_of_its_column() -> None:
    agreement = compare(_numbers(1e-12, 100.0, 200.0), _numbers(2e-12, 100.0, 200.0))
    assert agreement.holds
    assert agreement.max_abs_diff == 1e-12


def test_the_scale_of_ordinary_rows_is_used_for_hard_ones() -> None:
    assert compare(_numbers(0.0), _numbers(1e-3), scale=_numbers(1e6, 1e6)).holds
    assert not compare(_numbers(0.0), _numbers(1e-3), scale=_numbers(1.0, 1.0)).holds


def test_a_probability_is_measured_by_one() -> None:
    labels = np.array([0])
    agreement = compare(Answers(labels, np.array([[1e-9, 1.0]])), Answers(labels, np.array([[3e-9, 1.0]])))
    assert agreement.holds


def test_not_a_number_agrees_with_itself_only() -> None:
    assert compare(_numbers(np.nan, np.inf), _numbers(np.nan, np.inf)).holds
    assert not compare(_numbers(np.nan), _numbers(1.0)).holds
    assert not compare(_numbers(1.0), _numbers(np.nan)).holds


def test_answers_of_another_shape_do_not_agree() -> None:
    assert not compare(_numbers(1.0, 2.0), Answers(np.array([[1.0], [2.0]]))).holds


def test_every_output_of_many_is_compared() -> None:
    labels = np.array([[0, 1]])
    theirs = (np.array([[0.5, 0.5]]), np.array([[0.1, 0.9]]))
    ours = (np.array([[0.5, 0.5]]), np.array([[0.2, 0.8]]))
    assert not compare(Answers(labels, theirs), Answers(labels, ours)).holds
